"""Which metrics to compute in which features: `kid[inception]`, or `kid` for the default features."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genaug.config import parse
from genaug.errors import DataError, UsageError, unknown
from genaug.evaluation.metric_inputs import CLASSIFIER
from genaug.executors import plugin_code
from genaug.features import INCEPTION, Extractor, find_weights, make_extractor
from genaug.hookspecs import MetricDescription
from genaug.metric import Metric
from genaug.overrides import read_assignments
from genaug.registry import Registry, import_factory

FEATURES = ("pixels", CLASSIFIER, "inception", "dinov2")
_WITHOUT_CLASSES = ("pixels", "dinov2")
_PATTERN = re.compile(r"([\w-]+)(?:\[([\w-]+)\])?")


@dataclass(frozen=True)
class MetricRequest:
    """A metric and the name of the features to compute it in; the name is empty for a metric of pixels."""

    description: MetricDescription
    metric: Metric  # type: ignore[type-arg] # of any settings
    features: str

    def name(self, value: str, features: str) -> str:
        """The name of a value in results: with the features that were used, unless the metric uses pixels."""
        return f"{value}[{features}]" if self.features else value


def parse_requests(
    texts: Sequence[str] | None, registry: Registry, features: str, settings: Iterable[str] = ()
) -> list[MetricRequest]:
    """Requests from texts such as `kid[inception]`; all installed metrics and `novelty[pixels]` if texts is None.

    features: used by metrics whose text names none. settings: texts `metric:key=value`.
    Raises UsageError for an unknown metric, unknown or unsuitable features, and a wrong setting.
    """
    requested = list(dict.fromkeys(text.strip() for text in (registry.metrics.names() if texts is None else texts)))
    if texts is None and features != "pixels":
        requested.append("novelty[pixels]")
    by_metric: dict[str, list[str]] = {}
    for text in settings:
        name, colon, setting = text.partition(":")
        if not colon:
            raise UsageError(f"--set: expected metric:key=value, got {text!r}")
        by_metric.setdefault(registry.metrics.get(name.strip()).name, []).append(setting)
    requests = [_parse_request(text, registry, features, by_metric) for text in requested]
    if unused := sorted(by_metric.keys() - {request.description.name for request in requests}):
        raise UsageError(
            f"--set: the metric {unused[0]} is not computed; name it in --metrics or leave its setting out"
        )
    return requests


def uses_default_features(texts: Sequence[str] | None, registry: Registry) -> bool:
    """Whether a requested metric needs features or probabilities and names none in brackets."""
    matches = (_PATTERN.fullmatch(text.strip()) for text in (registry.metrics.names() if texts is None else texts))
    plain = [match[1] for match in matches if match and not match[2] and match[1] in registry.metrics.names()]
    return any(import_factory(registry.metrics.get(name)).needs in ("features", "probabilities") for name in plain)


def resolve_features(name: str, *, weights: Path | None, allow_download: bool) -> tuple[str, str]:
    """The default features, with `auto` resolved; the second text says why `auto` is not Inception, or is empty.

    Raises UsageError for unknown features.
    """
    if name != "auto":
        if name not in FEATURES:
            raise unknown("features", name, ("auto", *FEATURES))
        return name, ""
    try:
        find_weights(INCEPTION, weights, allow_download=allow_download)
    except DataError as error:
        return CLASSIFIER, f"features of classifiers trained on the real images are used instead: {error}"
    return "inception", ""


def _parse_request(
    text: str, registry: Registry, features: str, settings: Mapping[str, Iterable[str]]
) -> MetricRequest:
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"metrics: expected names such as kid or kid[inception], got {text!r}")
    name, given = match.groups()
    description = registry.metrics.get(name)
    values = read_assignments(settings.get(name, ()))
    config = parse(description.config, values, f"the settings of {name}")
    with plugin_code(f"the metric {name!r}"):
        metric: Metric = import_factory(description)(config)  # type: ignore[type-arg] # as above
    if given is not None and given not in FEATURES:
        raise unknown("features", given, FEATURES)
    if metric.needs == "pixels":
        if given not in (None, "pixels"):
            raise UsageError(f"{name} is computed on pixels, not on {given}; use {name}")
        return MetricRequest(description, metric, "")
    if metric.needs == "classes":
        if given not in (None, CLASSIFIER):
            raise UsageError(f"{name} needs the classes of the data set, which {given} does not know; use {name}")
        return MetricRequest(description, metric, CLASSIFIER)
    if metric.needs == "probabilities" and (given or features) in _WITHOUT_CLASSES:
        if given:
            raise UsageError(f"{given} gives no class probabilities; use {name}[{CLASSIFIER}] or {name}[inception]")
        return MetricRequest(description, metric, CLASSIFIER)
    return MetricRequest(description, metric, given or features)


def make_extractors(
    requests: Iterable[MetricRequest], *, weights: Path | None, allow_download: bool, layer: int
) -> dict[str, Extractor]:
    """The networks that the requests need, by name of the features, each loaded once.

    Raises DataError for missing weights, UsageError if `weights` is given and the requests do not use one network.
    """
    needed = sorted({request.features for request in requests} - {"", CLASSIFIER})
    public = [name for name in needed if name != "pixels"]
    if weights is not None and len(public) != 1:
        used = " and ".join(public) or "neither"
        raise UsageError(f"--weights is the file of one network, inception or dinov2, but the metrics use {used}")
    options = {"weights": weights, "allow_download": allow_download, "layer": layer}
    return {name: make_extractor(name, **(options if name != "pixels" else {})) for name in needed}  # type: ignore[arg-type] # options by name
