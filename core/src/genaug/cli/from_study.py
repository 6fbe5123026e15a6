"""The run that a study recommends."""

from pathlib import Path
from typing import TYPE_CHECKING

from genaug.cli import console
from genaug.cli.options import RunOptions
from genaug.errors import UsageError

if TYPE_CHECKING:
    from genaug.run.job import Job

_FREE = ("check", "device", "format", "only_synthetic", "resolution", "train_size")  # what a study leaves open


def recommended_job(study: Path, data: Path | None, options: RunOptions) -> "tuple[Job, list[str]]":
    """The job that writes the recommended set of a study, and sentences on what it leaves to the training.

    data: where the images are now; where the study found them if left out. Raises UsageError for an option that the
    study decides.
    """
    from genaug.config import changed
    from genaug.registry import load_registry
    from genaug.run.job import resolve
    from genaug.selection import read_manual_rejections
    from genaug.studies.recommended import left_to_training, load_studied, run_config_of
    from genaug.studies.training_file import read_training_file

    _refuse_decided(options)
    rejections = {} if options.reject is None else read_manual_rejections(options.reject)
    file, home = read_training_file(study)
    loaded = load_studied(file, home, data)
    console.show_notes(loaded)
    values = {key: value for key, value in options.values.items() if value is not None}
    config = changed(run_config_of(file), values, "the settings")
    sentences = [f"this is the set for '{file.arm}', which the study recommends", left_to_training(file)]
    return resolve(config, loaded, load_registry()).without(rejections), [text for text in sentences if text]


def _refuse_decided(options: RunOptions) -> None:
    given = [key for key, value in options.values.items() if value is not None and key not in _FREE]
    given += [name for name, value in (("set", options.settings), ("config", options.config)) if value]
    if given:
        raise UsageError(
            f"--from-study decides what --{given[0].replace('_', '-')} would; leave that out, or run without a study"
        )
