"""Which metric in which features: `kid[inception]`, or `kid` for the features at hand."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genaug.assignment import read_assignments
from genaug.config import parse
from genaug.errors import DataError, UsageError, unknown
from genaug.evaluation.views import CLASSIFIER
from genaug.features import INCEPTION, Extractor, find_weights, make_extractor
from genaug.metric import Metric
from genaug.registry import MetricDescription, Registry, import_factory

FEATURES = ("pixels", CLASSIFIER, "inception", "dinov2")
_WITHOUT_CLASSES = ("pixels", "dinov2")
_SPELLING = re.compile(r"([\w-]+)(?:\[([\w-]+)\])?")


@dataclass(frozen=True)
class Wish:
    """A metric and the features to compute it in; features are empty where it needs none."""

    description: MetricDescription
    metric: Metric  # type: ignore[type-arg] # of any settings
    features: str

    def name(self, value: str, features: str) -> str:
        """How a value of it is called, with the features that were used."""
        return f"{value}[{features}]" if self.features else value


def parse_wishes(
    texts: Sequence[str] | None, registry: Registry, features: str, settings: Iterable[str] = ()
) -> list[Wish]:
    """Wishes from their spellings; all installed metrics when there are none, novelty then in pixels as well.

    settings: `metric:key=value`. Raises UsageError for an unknown metric, unknown features or a wrong setting.
    """
    spellings = list(dict.fromkeys(text.strip() for text in texts or registry.metrics.names()))
    if not texts and features != "pixels":
        spellings.append("novelty[pixels]")
    named: dict[str, list[str]] = {}
    for text in settings:
        name, colon, setting = text.partition(":")
        if not colon:
            raise UsageError(f"--set: expected metric:key=value, got {text!r}")
        named.setdefault(registry.metrics.get(name.strip()).name, []).append(setting)
    wishes = [_wish(text, registry, features, named) for text in spellings]
    if idle := sorted(named.keys() - {wish.description.name for wish in wishes}):
        raise UsageError(f"--set: {idle[0]} is set, but not among the metrics to compute")
    return wishes


def lean_on_default(texts: Sequence[str] | None, registry: Registry) -> bool:
    """Whether any of these metrics is computed in the features at hand, as those of all are that name no others."""
    matches = (_SPELLING.fullmatch(text.strip()) for text in texts or registry.metrics.names())
    plain = [match[1] for match in matches if match and not match[2] and match[1] in registry.metrics.names()]
    return any(import_factory(registry.metrics.get(name)).needs in ("features", "probabilities") for name in plain)


def resolve_features(wish: str, *, weights: Path | None, allow_download: bool) -> tuple[str, str]:
    """The features of metrics that name none, and a sentence where `auto` had to do without Inception."""
    if wish != "auto":
        if wish not in FEATURES:
            raise unknown("features", wish, ("auto", *FEATURES))
        return wish, ""
    try:
        find_weights(INCEPTION, weights, allow_download=allow_download)
    except DataError as error:
        return CLASSIFIER, f"features of classifiers trained on the real images are used instead: {error}"
    return "inception", ""


def _wish(text: str, registry: Registry, features: str, settings: Mapping[str, Iterable[str]]) -> Wish:
    match = _SPELLING.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"metrics: expected names such as kid or kid[inception], got {text!r}")
    name, given = match.groups()
    description = registry.metrics.get(name)
    values = read_assignments(settings.get(name, ()))
    config = parse(description.config, values, f"the settings of {name}")
    metric: Metric = import_factory(description)(config)  # type: ignore[type-arg] # as above
    if given is not None and given not in FEATURES:
        raise unknown("features", given, FEATURES)
    if metric.needs == "pixels":
        if given not in (None, "pixels"):
            raise UsageError(f"{name} is computed on pixels, not on {given}")
        return Wish(description, metric, "")
    if metric.needs == "classes":
        if given not in (None, CLASSIFIER):
            raise UsageError(f"{name} asks for the classes of the data set, which {given} does not know; use {name}")
        return Wish(description, metric, CLASSIFIER)
    if metric.needs == "probabilities" and (given or features) in _WITHOUT_CLASSES:
        if given:
            raise UsageError(f"{given} gives no class probabilities; use {name}[{CLASSIFIER}] or {name}[inception]")
        return Wish(description, metric, CLASSIFIER)
    return Wish(description, metric, given or features)


def make_extractors(
    wishes: Iterable[Wish], *, weights: Path | None, allow_download: bool, layer: int
) -> dict[str, Extractor]:
    """The networks that the wishes need, each loaded once; raises DataError where weights are missing."""
    needed = sorted({wish.features for wish in wishes} - {"", CLASSIFIER})
    public = [name for name in needed if name != "pixels"]
    if weights is not None and len(public) != 1:
        raise UsageError(f"--weights is for one network of features, but the metrics use {public or 'none'}")
    options = {"weights": weights, "allow_download": allow_download, "layer": layer}
    return {name: make_extractor(name, **(options if name != "pixels" else {})) for name in needed}  # type: ignore[arg-type] # options by name
