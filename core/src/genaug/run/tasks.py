"""The tasks of a job: one model to train and the images that it draws, the unit that runs in a worker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from genaug.executors import Report
from genaug.fitting import CHUNK, DrawTask, FitRecord, FitTask, draw, fit, fit_tasks
from genaug.run.job import Job, Share
from genaug.storage import stage_hash


@dataclass(frozen=True)
class ModelTask:
    """One model, the images that it draws of each of its classes, and the share of the job that it belongs to."""

    share: Share
    fit: FitTask
    draw: DrawTask

    def drawing(self, counts: Mapping[int, int]) -> "ModelTask":
        """The same task with other numbers of images, by label."""
        return replace(self, draw=replace(self.draw, counts=dict(counts)))


def plan_tasks(job: Job, models: Path, folder: Path) -> list[ModelTask]:
    """One task for each model that the plan needs; classes without new images train nothing.

    models: where trained models are kept. folder: where checkpoints and drawn images are kept.
    """
    tasks: list[ModelTask] = []
    for share in job.all_shares:
        counts = {label: share.plan[name] for label, name in enumerate(job.classes)}
        tasks += tasks_of(job, share, counts, models, folder)
    return tasks


def tasks_of(job: Job, share: Share, counts: Mapping[int, int], models: Path, folder: Path) -> Iterator[ModelTask]:
    """The tasks of one generator. counts: {label: images}; labels without images are left out."""
    counts = {label: count for label, count in counts.items() if count}
    if counts:
        for task in fit_tasks(share.settings, job.loaded.train, models, folder, sorted(counts)):
            yield ModelTask(share, task, _draw_task(job, share, task, counts, folder))


def perform(task: ModelTask, report: Report) -> FitRecord:
    """Train one model and draw its first images."""
    record = fit(task.fit, report)
    draw(task.draw, report)
    return record


def _draw_task(job: Job, share: Share, task: FitTask, counts: Mapping[int, int], folder: Path) -> DrawTask:
    settings = share.settings
    return DrawTask(
        generator=share.name,
        model=task.path,
        spec=job.loaded.spec,
        counts=dict(counts) if task.label is None else {task.label: counts[task.label]},
        seed=settings.seed,
        device=settings.device,
        threads=settings.threads,
        folder=folder / "draws" / stage_hash([task.key, CHUNK]),
    )
