"""What the functions of the Python interface return: plain facts, with a text and an HTML form for notebooks."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.audit import Verification
from genaug.audit import verify as verify_output
from genaug.data.folder import LoadedFolder
from genaug.data.inspection import Inspection, inspect_folder
from genaug.evaluation import (
    MetricInputs,
    Row,
    compare,
    detectability_rows,
    load_inputs,
    make_extractors,
    parse_requests,
    resolve_features,
    uses_default_features,
    without_detectability,
)
from genaug.executors import Report
from genaug.features.crossfit import cross_fit
from genaug.probe import Probe, probe
from genaug.registry import load_registry
from genaug.report import write_report
from genaug.report.notebook import Strips, as_html, as_text, short
from genaug.report.strips import of_inputs, of_output, of_train
from genaug.run.budget import budgeted_drawing, choose, shortened
from genaug.run.config import RunConfig
from genaug.run.cost import CostEstimate, measure
from genaug.run.job import Job
from genaug.run.shortcut import possible_shortcut
from genaug.storage import scratch_folder
from genaug.studies.question import Question
from genaug.studies.study import study
from genaug.training import side_by_side

Pixels = NDArray[np.uint8]


class _Shown(ABC):
    """A result that has a title, a table, sentences and strips of images."""

    @abstractmethod
    def _title(self) -> str: ...

    @abstractmethod
    def _table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]: ...

    @abstractmethod
    def _sentences(self) -> list[str]: ...

    def _images(self) -> Strips:
        return {}

    def __repr__(self) -> str:
        return as_text(self._title(), *self._table(), self._sentences())

    def _repr_html_(self) -> str:
        return as_html(self._title(), *self._table(), self._sentences(), self._images())


@dataclass(frozen=True, repr=False)
class Inspected(_Shown, Inspection):
    """What `inspect` found; the fields of `genaug inspect --json`. probe: what the label-safety probe found, or None.

    images: {class: a few of its real images, uint8 [H, W, C] at the model size}.
    """

    probe: Probe | None = None
    images: Mapping[str, Sequence[Pixels]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, loaded: LoadedFolder, judge_steps: int | None) -> "Inspected":
        """Inspect images; with the probe where the steps of its classifiers are given."""
        train = loaded.train
        found = None if judge_steps is None else probe(train, cross_fit(train, seed=0, steps=judge_steps))
        return cls(**vars(inspect_folder(loaded)), probe=found, images=of_train(train))

    def to_json(self) -> dict[str, Any]:
        """The fields as `genaug inspect --json` prints them."""
        facts = {key: value for key, value in vars(self).items() if key not in ("probe", "images")}
        return Inspection(**facts).to_json() | ({"probe": self.probe.to_json()} if self.probe else {})

    def _title(self) -> str:
        total = sum(sum(counts.values()) for counts in self.counts.values())
        return f"Inspected: {total} images of {len(self.counts['train'])} classes, imbalance {self.imbalance:g}"

    def _table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        splits = list(self.counts)
        rows = [(name, *(self.counts[split][name] for split in splits)) for name in self.counts["train"]]
        return ("class", *splits), rows

    def _sentences(self) -> list[str]:
        spans = ", ".join(f"{name} {width}x{height}" for name, (width, height) in self.sizes.items())
        odd = [f"needs attention: {path}: {why}" for path, why in self.odd.items()]
        left = [f"left out: {path}: {why}" for path, why in self.skipped.items()]
        copies = [f"duplicates: {len(self.duplicates)} pairs"] if self.duplicates else []
        allowed = [f"changes that keep every class: {', '.join(self.probe.allowed) or 'none'}"] if self.probe else []
        advice = [f"advice: {text}" for text in self.advice]
        return [f"width x height: {spans}", *self.notes, *odd, *left, *copies, *allowed, *advice]

    def _images(self) -> Strips:
        return {name: {"real": images} for name, images in self.images.items()}


@dataclass(frozen=True, repr=False)
class Planned(_Shown):
    """What `augment` with the same options would do.

    counts: {class: {"real", "classical", "generated": images}} afterwards. cost: the estimate. findings: sentences on
    what may be wrong with the set. settings: {generator: its model, train and augmentation settings}. images: {class: a
    few of its real images}.
    """

    counts: Mapping[str, Mapping[str, int]]
    cost: CostEstimate
    findings: Sequence[str]
    settings: Mapping[str, Mapping[str, Any]]
    budget: Mapping[str, Any] | None
    images: Mapping[str, Sequence[Pixels]] = field(compare=False)

    @classmethod
    def of(cls, job: Job, workers: int | None) -> "Planned":
        """Time a few steps of a job."""
        seconds = job.config.budget
        cost = measure(job, workers, drawing=None if seconds is None else budgeted_drawing(seconds))
        job = job if seconds is None else shortened(job, choose(cost, seconds))
        settings = {share.name: share.settings.to_json() for share in job.shares}
        images = of_train(job.loaded.train)
        return cls(job.planned(), cost, possible_shortcut(job.planned()), settings, job.budget, images)

    def _title(self) -> str:
        return f"Planned: {', '.join(self.settings)}"

    def _table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        kinds = ("real", "classical", "generated")
        return ("class", *kinds), [(name, *(row[kind] for kind in kinds)) for name, row in self.counts.items()]

    def _sentences(self) -> list[str]:
        return [self.cost.sentence(), *([self.budget["sentence"]] if self.budget else []), *self.findings]

    def _images(self) -> Strips:
        return {name: {"real": images} for name, images in self.images.items()}


@dataclass(frozen=True, repr=False)
class Evaluated(_Shown):
    """The scores of synthetic images. rows: one for each metric and kind of features. notes: how images were read.

    images: {class: {"real", "synthetic": a few images}}.
    """

    rows: Sequence[Row]
    notes: Sequence[str]
    images: Strips = field(compare=False)

    @classmethod
    def of(
        cls,
        real: Path,
        synthetic: Path,
        metrics: Sequence[str] | None,
        extraction: tuple[str, Path | None, bool, int],
        settings: Sequence[str],
        config: RunConfig,
    ) -> "Evaluated":
        """Compute the metrics. extraction: features, file of weights, whether to download them, layer of inception."""
        features, weights, download, layer = extraction
        registry, reason = load_registry(), ""
        names, detectable = without_detectability(metrics)
        if features != "auto" or uses_default_features(names, registry):
            features, reason = resolve_features(features, weights=weights, allow_download=download)
        requests = parse_requests(names, registry, features, settings)
        extractors = make_extractors(requests, weights=weights, allow_download=download, layer=layer)
        inputs = load_inputs(real, synthetic, size=config.size, resize=config.resize, train_side=config.train_size)
        metric_inputs = MetricInputs(inputs, extractors, seed=config.seed)
        rows = [row for request in requests for row in compare(request, metric_inputs)]
        rows += detectability_rows(metric_inputs) if detectable else []
        return cls(rows, (*inputs.notes, *([reason] if reason else [])), of_inputs(inputs))

    def to_json(self) -> list[dict[str, Any]]:
        """The rows as `genaug evaluate --json` prints them."""
        return [row.to_json() for row in self.rows]

    def _title(self) -> str:
        return "Evaluated: synthetic images beside real ones (↑ higher is better, ↓ lower is better)"

    def _table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        rows = [
            (
                f"{row.name} {'↑' if row.higher_is_better else '↓'}",
                short(row.overall.value),
                ""
                if row.overall.interval is None
                else f"{row.overall.interval.low:.3g} to {row.overall.interval.high:.3g}",
                short(row.real),
                row.images,
            )
            for row in self.rows
        ]
        return ("metric", "value", "95 % interval", "real", "images"), rows

    def _sentences(self) -> list[str]:
        return [*self.notes, *(f"{row.name}: {row.note}" for row in self.rows if row.note)]

    def _images(self) -> Strips:
        return self.images


class _Owner:
    """Holds a temporary folder while a study is at work."""


class Studied(_Shown):
    """The answer of a study. record: everything, as in `study.json`. verdict, recommendation: sentences.

    page: the report page; None where the study was kept in no folder.
    """

    def __init__(self, record: dict[str, Any], page: Path | None, images: Mapping[str, Sequence[Pixels]]) -> None:
        self.record, self.page, self._real = record, page, images
        self.verdict: str = record["headline"]["sentence"]
        self.recommendation: str = record["recommendation"]["sentence"]

    @classmethod
    def of(
        cls, question: Question, out: Path | None, workers: int | None, budget: float | None, report: Report
    ) -> "Studied":
        """Run a study, in OUT or in a temporary folder."""
        owner = _Owner()
        folder = scratch_folder(owner) / "study" if out is None else out
        record = study(question, folder, workers=side_by_side(workers), budget=budget, report=report)
        page = None if out is None else write_report(out)
        return cls(record, page, of_train(question.loaded.train))

    def _title(self) -> str:
        return f"Studied: {self.verdict}"

    def _table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        rows = [
            (
                arm["name"],
                short(arm["balanced_accuracy"]["mean"]),
                "" if arm["difference"] is None else arm["difference"]["verdict"],
            )
            for arm in self.record["arms"]
        ]
        return ("trained on", "balanced accuracy", "verdict"), rows

    def _sentences(self) -> list[str]:
        test = [self.record["test"]["sentence"]] if self.record["test"] else []
        return [*self.record["notes"], *test, self.record["certainty"], f"recommendation: {self.recommendation}"]

    def _images(self) -> Strips:
        return {name: {"real": images} for name, images in self._real.items()}


@dataclass(frozen=True, repr=False)
class Verified(_Shown, Verification):
    """What `verify` found; the fields of `genaug verify --json`."""

    @classmethod
    def of(cls, out: Path) -> "Verified":
        """Compare an output with its records."""
        return cls(**vars(verify_output(out)))

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def _title(self) -> str:
        return (
            f"Verified: {len(self.findings)} finding(s) in {self.out}"
            if self.findings
            else f"Verified: {self.out} is sound"
        )

    def _table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        kinds = ("real", "synthetic", "unknown")
        return ("split", *kinds), [(split, *(row[kind] for kind in kinds)) for split, row in self.counts.items()]

    def _sentences(self) -> list[str]:
        found = [f"{one.kind}: {one.path}: {one.detail}" for one in self.findings]
        return found or ["every image and model is as the run wrote it"]

    def _images(self) -> Strips:
        return of_output(Path(self.out))
