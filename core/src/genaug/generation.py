"""Trains what a job needs, draws, selects and draws again until every class has its images or gives up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from genaug.data.stems import Stems
from genaug.errors import GenaugError, TrainingError
from genaug.executors import Report, make_executor
from genaug.features import CrossFit, cross_fit
from genaug.fitting import FitRecord, chunk_images, draw, fit
from genaug.job import Job, Share, default_workers
from genaug.probe import Probe, allowed_settings, probe
from genaug.selection import CrossFitTools, Filling, Kept, Panel, Rejected
from genaug.work import Work, perform, plan_work, works_of

_JUDGES = "judges"


@dataclass(frozen=True)
class Draft:
    """What one generator gave for one class: images that are kept, those that are not, and how many were wanted.

    drawn: candidates that were looked at. fills_up: whether it stands in for images that others could not give.
    """

    generator: str
    label: str
    model: Path
    wanted: int
    drawn: int
    kept: tuple[Kept, ...]
    rejected: tuple[Rejected, ...]
    fills_up: bool = False

    @property
    def missing(self) -> int:
        """Images short of what was wanted."""
        return self.wanted - len(self.kept)


@dataclass(frozen=True)
class Generated:
    """All drafts of a job, the fits behind them, and why classes failed: {class: reason}.

    probe: what the label-safety probe found, None where it was not asked.
    """

    job: Job
    drafts: tuple[Draft, ...]
    records: tuple[FitRecord, ...]
    failures: dict[str, str]
    probe: Probe | None

    def shortfall(self) -> dict[str, int]:
        """Images by which each class is short of its plan, failed classes aside; only classes that are."""
        given = dict.fromkeys(self.job.plan, 0)
        for draft in self.drafts:
            given[draft.label] += len(draft.kept)
        short = {name: wanted - given[name] for name, wanted in self.job.plan.items() if name not in self.failures}
        return {name: count for name, count in short.items() if count}

    def filled_up(self) -> dict[str, int]:
        """Images of each class that stand in for what could not be given; only classes that have some."""
        return {draft.label: len(draft.kept) for draft in self.drafts if draft.fills_up}


def generate(
    job: Job, models: Path, scratch: Path, *, workers: int | None = None, report: Report | None = None
) -> Generated:
    """Train what the plan needs and fill it; a class may fail alone, and when all fail the first error is raised.

    Raises TrainingError where a class stays short and the job says `fail`.
    """
    return _Generation(job, models, scratch, workers, report or _silent).run()


def judges_of(job: Job, scratch: Path, report: Report | None = None) -> CrossFit:
    """The classifiers that judge a job's images, trained once for each `scratch`."""
    config = job.config
    return cross_fit(
        job.loaded.train,
        seed=config.seed,
        steps=config.judge_steps,
        folder=scratch / _JUDGES,
        report=report or _silent,
    )


class _Generation:
    """One job on its way."""

    def __init__(self, job: Job, models: Path, scratch: Path, workers: int | None, report: Report) -> None:
        self._job, self._models, self._scratch, self._report = job, models, scratch, report
        self._workers = workers or default_workers(job)
        self._records: list[FitRecord] = []
        self._failures: dict[str, str] = {}

    def run(self) -> Generated:
        """Probe, fit and draw, select, fill up."""
        found = self._probed()
        works = plan_work(self._job, self._models, self._scratch)
        fillings = {
            (work.fit.path, label): self._filling(work.share, label, count)
            for work in works
            for label, count in work.draw.counts.items()
        }
        works = [_first_draw(work, fillings) for work in works]
        self._pool(works)
        works = self._performed(works)
        drafts = self._drafts(works, fillings)
        drafts += self._filled_up(drafts)
        made = Generated(self._job, tuple(drafts), tuple(self._records), self._failures, found)
        if self._job.config.on_shortfall == "fail" and (short := made.shortfall()):
            raise TrainingError(_too_few(short, made))
        return made

    @cached_property
    def _judges(self) -> CrossFit:
        return judges_of(self._job, self._scratch, self._report)

    @cached_property
    def _panel(self) -> Panel:
        tools = CrossFitTools(lambda: self._judges, seed=self._job.config.seed)
        return Panel(self._job.selectors, self._job.loaded.train, tools)

    @cached_property
    def _stems(self) -> Stems:
        return Stems(self._job.loaded.train)

    def _probed(self) -> Probe | None:
        if not self._job.config.probe:
            return None
        found = probe(self._job.loaded.train, self._judges)
        self._job = self._job.with_changes(allowed_settings(found))
        return found

    def _filling(self, share: Share, label: int, wanted: int) -> Filling:
        judged = bool(self._job.selectors) and share.settings.description.judged
        panel = self._panel if judged else None
        return Filling(panel, self._stems, label, wanted, self._job.config.overdraw, self._marked(share.name, label))

    def _marked(self, generator: str, label: int) -> frozenset[int]:
        return self._job.marked.get((generator, self._job.loaded.spec.classes[label]), frozenset())

    def _pool(self, works: Sequence[Work]) -> None:
        """Models over all classes, from which those of one class begin, come first."""
        if pooled := {work.fit.pooled.key: work.fit.pooled for work in works if work.fit.pooled is not None}:
            for outcome in make_executor(1).map(fit, list(pooled.values()), self._report):
                if outcome.error is not None:
                    raise outcome.error

    def _performed(self, works: Sequence[Work]) -> list[Work]:
        """The works that succeeded; the classes of the others have failed."""
        outcomes = make_executor(self._workers).map(perform, works, self._report)
        errors = [outcome.error for outcome in outcomes if outcome.error is not None]
        if errors and len(errors) == len(outcomes):
            raise errors[0]
        done = []
        for work, outcome in zip(works, outcomes, strict=True):
            if outcome.result is None:
                self._fail(work, outcome.error)
            else:
                self._records.append(outcome.result)
                done.append(work)
        return done

    def _fail(self, work: Work, error: GenaugError | None) -> None:
        classes = self._job.loaded.spec.classes
        self._failures |= {classes[label]: str(error) for label in work.draw.counts}

    def _drafts(self, works: Sequence[Work], fillings: Mapping[tuple[Path, int], Filling]) -> list[Draft]:
        """Judge what is drawn and draw more, in rounds, until no class wants more."""
        waiting = list(works)
        while waiting:
            for work in waiting:
                self._judge(work, fillings)
            waiting = [more for work in waiting if (more := _next_draw(work, fillings)) is not None]
            outcomes = make_executor(min(self._workers, len(waiting)) or 1).map(
                draw, [work.draw for work in waiting], self._report
            )
            for outcome in outcomes:
                if outcome.error is not None:
                    raise outcome.error
        classes = self._job.loaded.spec.classes
        return [
            _draft(work, classes[label], fillings[work.fit.path, label]) for work in works for label in work.draw.counts
        ]

    def _judge(self, work: Work, fillings: Mapping[tuple[Path, int], Filling]) -> None:
        for label, count in work.draw.counts.items():
            filling = fillings[work.fit.path, label]
            if filling.drawn < count:
                images, parents = chunk_images(work.draw, label)
                filling.add(images[filling.drawn :], parents[filling.drawn :])

    def _filled_up(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Images of the fallback for what the others could not give; its numbers go on after those of its own share."""
        fallback, classes = self._job.fallback, self._job.loaded.spec.classes
        missing = {
            name: sum(draft.missing for draft in drafts if draft.label == name and name not in self._failures)
            for name in classes
        }
        if fallback is None or not any(missing.values()):
            return []
        own = {draft.label: draft.drawn for draft in drafts if draft.generator == fallback.name}
        works = works_of(self._job, replace(fallback, plan=missing), self._models, self._scratch)
        more = [
            replace(
                work,
                draw=replace(
                    work.draw,
                    counts={label: self._enough(label, count, own) for label, count in work.draw.counts.items()},
                ),
            )
            for work in works
        ]
        known = {record.key for record in self._records}
        for work in more:
            record = perform(work, self._report)
            self._records += [] if record.key in known else [record]
        return [
            self._extra(work, label, own.get(classes[label], 0), missing[classes[label]])
            for work in more
            for label in work.draw.counts
        ]

    def _enough(self, label: int, missing: int, own: Mapping[str, int]) -> int:
        """Images to draw so that enough are left beside those of its own share and those that a person rejected."""
        first, name = own.get(self._job.loaded.spec.classes[label], 0), self._job.fallback and self._job.fallback.name
        return first + missing + sum(index >= first for index in self._marked(name or "", label))

    def _extra(self, work: Work, label: int, first: int, missing: int) -> Draft:
        count, marked = work.draw.counts[label], self._marked(work.share.name, label)
        filling = Filling(None, self._stems, label, count, 1.0, marked)
        filling.add(*chunk_images(work.draw, label))
        draft = _draft(work, self._job.loaded.spec.classes[label], filling)
        kept = tuple(image for image in draft.kept if image.index >= first)[:missing]
        rejected = tuple(one for one in draft.rejected if one.candidate.index >= first)
        return replace(draft, wanted=missing, kept=kept, rejected=rejected, fills_up=True)


def _first_draw(work: Work, fillings: Mapping[tuple[Path, int], Filling]) -> Work:
    counts = {label: fillings[work.fit.path, label].next_count() for label in work.draw.counts}
    return replace(work, draw=replace(work.draw, counts=counts))


def _next_draw(work: Work, fillings: Mapping[tuple[Path, int], Filling]) -> Work | None:
    """The same work with more candidates for the classes that want some; None when none does."""
    counts = {label: fillings[work.fit.path, label].next_count() for label in work.draw.counts}
    more = {label: count for label, count in counts.items() if count > fillings[work.fit.path, label].drawn}
    return replace(work, draw=replace(work.draw, counts=more)) if more else None


def _draft(work: Work, name: str, filling: Filling) -> Draft:
    kept = tuple(filling.finish())
    return Draft(work.share.name, name, work.fit.path, filling.wanted, filling.drawn, kept, tuple(filling.rejected))


def _too_few(short: Mapping[str, int], made: Generated) -> str:
    worst = ", ".join(f"{name!r} lacks {count} of {made.job.plan[name]}" for name, count in short.items())
    return (
        f"too few images passed the selectors: {worst}; train longer, raise overdraw, choose other selectors, "
        "or fill up with --on-shortfall classical"
    )


def _silent(message: Any) -> None:
    """Report to nobody."""
