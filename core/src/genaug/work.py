"""One model and the images that it draws: what a job is made of, and the unit that runs in a worker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from genaug.executors import Report
from genaug.fitting import CHUNK, DrawTask, FitRecord, FitTask, draw, fit, fit_tasks
from genaug.job import Job, Share
from genaug.storage import stage_hash


@dataclass(frozen=True)
class Work:
    """One model, the images that it draws of each of its classes, and whose share of the job it is."""

    share: Share
    fit: FitTask
    draw: DrawTask


def plan_work(job: Job, models: Path, scratch: Path) -> list[Work]:
    """The fits that the plan needs, each with the images that it draws first; classes without a wish train nothing."""
    return [work for share in job.shares for work in works_of(job, share, models, scratch)]


def perform(work: Work, report: Report) -> FitRecord:
    """Fit one model and draw its first images: the unit that runs in a worker."""
    record = fit(work.fit, report)
    draw(work.draw, report)
    return record


def works_of(job: Job, share: Share, models: Path, scratch: Path) -> Iterator[Work]:
    """The works of one generator."""
    wanted = {label: share.plan[name] for label, name in enumerate(job.loaded.spec.classes) if share.plan[name]}
    if wanted:
        for task in fit_tasks(share.settings, job.loaded.train, models, scratch, sorted(wanted)):
            yield Work(share, task, _draw_task(job, share, task, wanted, scratch))


def _draw_task(job: Job, share: Share, task: FitTask, wanted: Mapping[int, int], scratch: Path) -> DrawTask:
    settings = share.settings
    return DrawTask(
        generator=share.name,
        models=(task.path,),
        spec=job.loaded.spec,
        counts=dict(wanted) if task.label is None else {task.label: wanted[task.label]},
        first=0,
        seed=settings.seed,
        device=settings.device,
        threads=settings.threads,
        folder=scratch / "draws" / stage_hash([task.key, CHUNK]),
    )
