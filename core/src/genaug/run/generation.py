"""Trains what a job needs, draws, selects, and draws again until every class has its images or gives up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from genaug.data.attribution import Attribution
from genaug.errors import GenaugError, PluginError, TrainingError, log_traceback
from genaug.executors import Report, make_executor, silent
from genaug.features import CrossFit
from genaug.fitting import CHUNK, DrawnImages, FitRecord, chunks_of, draw, fit
from genaug.probe import Probe, allowed_settings, probe
from genaug.run.generated import ClassResult, Generated
from genaug.run.job import Job, Share, default_workers
from genaug.run.judges import judges_of
from genaug.run.stopwatch import Stopwatch
from genaug.run.tasks import ModelTask, perform, plan_tasks, tasks_of
from genaug.selection import ClassFiller, CrossFitTools, SelectorChain
from genaug.storage import file_sha256

Fillers = Mapping[tuple[Path, int], ClassFiller]  # by model and label


def generate(
    job: Job,
    models: Path,
    folder: Path,
    *,
    workers: int | None = None,
    report: Report = silent,
    watch: Stopwatch | None = None,
) -> Generated:
    """Train what the plan needs and draw until it is filled; one class may fail while the others succeed.

    models: where trained models are kept. folder: where unfinished work is kept. watch: counts the time of each stage.
    Raises the first error where all models fail, and TrainingError where a class stays short and the job's
    `on_shortfall` is `fail`.
    """
    return _Generation(job, models, folder, workers, report, watch or Stopwatch()).run()


class _Generation:
    """One job while it runs."""

    def __init__(
        self, job: Job, models: Path, folder: Path, workers: int | None, report: Report, watch: Stopwatch
    ) -> None:
        self._job, self._models, self._folder, self._report = job, models, folder, report
        self._watch = watch
        self._workers = workers or default_workers(job)
        self._judge_workers = workers
        self._records: dict[str, FitRecord] = {}  # by the key of the fit
        self._failures: dict[int, str] = {}
        self._refused: dict[int, str] = {}

    def run(self) -> Generated:
        """Probe, fit and draw, select, fill up."""
        found = self._probed()
        tasks = plan_tasks(self._job, self._models, self._folder)
        fillers = {
            (task.fit.path, label): self._filler(task, label, count)
            for task in tasks
            for label, count in task.draw.counts.items()
        }
        tasks = [task.drawing(_next_counts(task, fillers)) for task in tasks]
        idle = [task for task in tasks if not any(task.draw.counts.values())]  # all of their classes are refused
        tasks = [task for task in tasks if any(task.draw.counts.values())]
        with self._watch.of("training"):
            self._fit_pooled(tasks)
            tasks = self._performed(tasks)
        with self._watch.of("selecting"):
            results = self._results(tasks, fillers) + _results_of(idle, fillers)
        with self._watch.of("filling up"):
            results += self._filled_up(results)
        records = tuple(self._records.values())
        generated = Generated(self._job, tuple(results), records, self._failures, self._refused, found)
        if self._job.config.on_shortfall == "fail" and generated.shortfall():
            raise TrainingError(_too_few(generated))
        return generated

    @cached_property
    def _judges(self) -> CrossFit:
        with self._watch.of("training judges"):
            return judges_of(self._job, self._folder, self._report, workers=self._judge_workers)

    @cached_property
    def _selectors(self) -> SelectorChain:
        tools = CrossFitTools(lambda: self._judges, seed=self._job.config.seed)
        return SelectorChain(self._job.selectors, self._job.loaded.train, tools)

    @cached_property
    def _attribution(self) -> Attribution:
        return Attribution(self._job.loaded.train)

    def _probed(self) -> Probe | None:
        if not self._job.config.probe:
            return None
        found = probe(self._job.loaded.train, self._judges)
        self._job = self._job.with_allowed_changes(allowed_settings(found))
        return found

    def _filler(self, task: ModelTask, label: int, wanted: int) -> ClassFiller:
        share = task.share
        judged = bool(self._job.selectors) and share.kind == "generated"
        if judged and label in self._selectors.refused:
            self._refused[label] = self._selectors.refused[label]
        return ClassFiller(
            self._selectors if judged else None,
            self._attribution,
            generator=share.name,
            kind=share.kind,
            tops_up=share.tops_up,
            label=label,
            wanted=wanted,
            overdraw=self._job.config.overdraw,
            excluded=self._job.excluded(share.name, label),
            refused=judged and label in self._refused,
            drawn=DrawnImages(task.draw.folder, label),
        )

    def _fit_pooled(self, tasks: Sequence[ModelTask]) -> None:
        """Train the models over all classes from which models of one class begin."""
        if pooled := {task.fit.pooled.key: task.fit.pooled for task in tasks if task.fit.pooled is not None}:
            for outcome in make_executor(1).map(fit, list(pooled.values()), self._report):
                if outcome.error is not None:
                    raise outcome.error

    def _performed(self, tasks: Sequence[ModelTask]) -> list[ModelTask]:
        """The tasks that succeeded; the classes of the others have failed."""
        outcomes = make_executor(self._workers).map(perform, tasks, self._report)
        errors = [(task, one.error) for task, one in zip(tasks, outcomes, strict=True) if one.error is not None]
        all_failed = len(errors) == sum(not task.share.tops_up for task in tasks)
        for task, error in errors:
            if all_failed or task.share.tops_up:
                raise error
        done = []
        for task, outcome in zip(tasks, outcomes, strict=True):
            if outcome.result is None:
                self._fail(task, outcome.error)
            else:
                self._records[outcome.result.key] = outcome.result
                done.append(task)
        return done

    def _fail(self, task: ModelTask, error: GenaugError | None) -> None:
        if error is not None:
            log_traceback(error)
        self._failures |= dict.fromkeys(task.draw.counts, str(error))

    def _results(self, tasks: Sequence[ModelTask], fillers: Fillers) -> list[ClassResult]:
        """Judge what is drawn and draw more, in rounds, until no class needs more."""
        waiting = list(tasks)
        while waiting:
            for task in waiting:
                self._judge(task, fillers)
            waiting = [more for task in waiting if (more := _next_draw(task, fillers)) is not None]
            with self._watch.of("drawing"):
                outcomes = make_executor(min(self._workers, len(waiting)) or 1).map(
                    draw, [task.draw for task in waiting], self._report
                )
            for outcome in outcomes:
                if outcome.error is not None:
                    raise outcome.error
        return _results_of(tasks, fillers)

    def _judge(self, task: ModelTask, fillers: Fillers) -> None:
        model = file_sha256(task.fit.path)
        for label, count in task.draw.counts.items():
            filler = fillers[task.fit.path, label]
            self._add(filler, task, count, model)

    def _add(self, filler: ClassFiller, task: ModelTask, count: int, model: str) -> None:
        """Pass the images up to number `count` to a filler, chunk by chunk."""
        images = DrawnImages(task.draw.folder, filler.label)
        for number in chunks_of(filler.drawn, count - filler.drawn):
            pixels, parents = images.chunk(number)
            if parents.max(initial=-1) >= len(self._job.loaded.train):
                raise PluginError(
                    f"{task.share.name}: expected row ids of training images as parents, below "
                    f"{len(self._job.loaded.train)}, got {parents.max()}"
                )
            rows = slice(max(0, filler.drawn - number * CHUNK), count - number * CHUNK)
            filler.add(pixels[rows], parents[rows], model)

    def _filled_up(self, results: Sequence[ClassResult]) -> list[ClassResult]:
        """Images of the fallback for what the others could not give; its indices continue after its own share."""
        fallback = self._job.fallback
        missing = {
            label: sum(one.missing for one in results if one.label == label and label not in self._failures)
            for label in range(len(self._job.classes))
        }
        if fallback is None or not any(missing.values()):
            return []
        first = {result.label: result.drawn for result in results if result.generator == fallback.name}
        extra = []
        for task in tasks_of(self._job, fallback, missing, self._models, self._folder):
            enough = {
                label: self._enough(fallback, label, missing[label], first.get(label, 0)) for label in task.draw.counts
            }
            more = task.drawing(enough)
            record = perform(more, self._report)
            self._records.setdefault(record.key, record)
            extra += [self._extra(more, label, first.get(label, 0), missing[label]) for label in enough]
        return extra

    def _enough(self, fallback: Share, label: int, missing: int, first: int) -> int:
        """How many images to draw so that enough remain after its own share and without manually rejected ones."""
        return first + missing + sum(index >= first for index in self._job.excluded(fallback.name, label))

    def _extra(self, task: ModelTask, label: int, first: int, missing: int) -> ClassResult:
        """The fallback's images of one class from index `first` on."""
        filler = ClassFiller(
            None,
            self._attribution,
            generator=task.share.name,
            kind=task.share.kind,
            label=label,
            wanted=task.draw.counts[label],
            excluded=self._job.excluded(task.share.name, label),
            drawn=DrawnImages(task.draw.folder, label),
        )
        self._add(filler, task, task.draw.counts[label], file_sha256(task.fit.path))
        result = _result(task, filler)
        accepted, rejected = (
            table.take(np.flatnonzero(table.indices >= first)) for table in (result.accepted, result.rejected)
        )
        accepted = accepted[:missing]
        return replace(result, wanted=missing, accepted=accepted, rejected=rejected, fills_up=True)


def _next_counts(task: ModelTask, fillers: Fillers) -> dict[int, int]:
    return {label: fillers[task.fit.path, label].next_count() for label in task.draw.counts}


def _next_draw(task: ModelTask, fillers: Fillers) -> ModelTask | None:
    """The same task with more candidates for the classes that need some; None when none does."""
    counts = _next_counts(task, fillers)
    more = {label: count for label, count in counts.items() if count > fillers[task.fit.path, label].drawn}
    return task.drawing(more) if more else None


def _results_of(tasks: Sequence[ModelTask], fillers: Fillers) -> list[ClassResult]:
    return [_result(task, fillers[task.fit.path, label]) for task in tasks for label in task.draw.counts]


def _result(task: ModelTask, filler: ClassFiller) -> ClassResult:
    accepted = filler.finish()
    return ClassResult(
        generator=task.share.name,
        label=filler.label,
        wanted=filler.wanted,
        drawn=filler.drawn,
        accepted=accepted,
        rejected=filler.rejected,
        tops_up=task.share.tops_up,
    )


def _too_few(generated: Generated) -> str:
    classes, plan = generated.job.classes, generated.job.plan
    worst = ", ".join(
        f"{classes[label]!r} lacks {count} of {plan[classes[label]]}" for label, count in generated.shortfall().items()
    )
    why = "".join(f"; class {classes[label]!r}: {reason}" for label, reason in generated.refused.items())
    return (
        f"too few images passed the selectors: {worst}{why}; train longer, raise overdraw, choose other selectors, "
        "or fill up with --on-shortfall classical"
    )
