"""Draws more images from models that a run has trained."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genaug.data.decode import UnreadableError, read_facts
from genaug.errors import DataError, OutputError, UsageError, unknown
from genaug.executors import plugin_code
from genaug.fitting import CHUNK, ModelRecord, chunks_of, draw_chunk, load_sampler, need_record
from genaug.generator import Sampler
from genaug.mixing.resolution import Size, at_size, drawn_size
from genaug.output.file_names import synthetic_name
from genaug.output.files import MODELS, OWN, RUN
from genaug.output.mark import marked_png
from genaug.output.provenance import SIZE, draw_record, has_provenance, holds, is_size
from genaug.output.run_file import read_run
from genaug.registry import load_registry
from genaug.spec import ImageSpec
from genaug.storage import file_bytes, file_sha256, is_part, make_folder, real_path, remove_parts, write_bytes
from genaug.training import computing, resolve_device


@dataclass(frozen=True)
class _Models:
    """The model files of one generator.

    record: that of the first model. classes: {label: class name}. drawn: {class: images that the run has drawn}. sizes:
    {class: the sizes at which the run wrote its images}; empty outside a run, where images have the model size.
    """

    paths: tuple[Path, ...]
    record: ModelRecord
    classes: dict[int, str]
    drawn: dict[str, int]
    sizes: dict[str, list[Size]]

    def weights(self, label: int) -> str:
        """SHA-256 of the model that draws a class."""
        return file_sha256(self.paths[0 if self.record.label is None else list(self.classes).index(label)])

    def spec(self) -> ImageSpec:
        """Class names at their labels; empty for labels without a model here."""
        names = tuple(self.classes.get(label, "") for label in range(max(self.classes) + 1))
        return replace(self.record.spec, classes=names, counts=(0,) * len(names))


def draw_more(
    model: Path,
    out: Path,
    *,
    count: int,
    classes: Sequence[str] | None = None,
    first: int | None = None,
    seed: int | None = None,
    device: str = "auto",
) -> dict[str, int]:
    """Write images [first, first + count) of each class as OUT/<class>/<generator>-NNNNNN.png; returns {class: n}.

    Without `first`, numbering continues where the run stopped. Raises DataError for a missing or damaged model,
    UsageError for a class that it does not know, OutputError for another image of the same name and for an OUT that
    holds other files than such images, or lies in the output of a run. Killed and called again, it continues.
    """
    models = _find(model)
    for name in classes or ():
        if name not in models.classes.values():
            raise unknown("class", name, models.classes.values())
    if load_registry().generators.get(models.record.generator).from_originals:
        raise UsageError(
            f"{models.record.generator} varies your own images, so it has no model to draw more from; ask genaug "
            "run for more images, such as with --per-class"
        )
    _check_out(out)
    remove_parts(out)
    sampler = load_sampler(models.paths, models.spec(), load_registry(), resolve_device(device))
    wanted = {label: name for label, name in models.classes.items() if classes is None or name in classes}
    with computing(models.record.threads):
        for label, name in wanted.items():
            start = models.drawn.get(name, 0) if first is None else first
            run_seed = models.record.seed if seed is None else seed
            _draw_class(sampler, models, label, range(start, start + count), run_seed, out)
    return dict.fromkeys(wanted.values(), count)


def _check_out(out: Path) -> None:
    """Raise OutputError where new images would be mixed with files that are no images of this command."""
    for home in (real_path(out), *real_path(out).parents):
        if (home / OWN).is_dir() or has_provenance(home):
            raise OutputError(
                f"{out} lies in the output {home}, which must stay as its run wrote it; give another --out"
            )
    for folder, folders, files in os.walk(out):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        foreign = links + [name for name in files if not _is_ours(Path(folder, name))]
        if foreign:
            raise OutputError(
                f"{Path(folder, min(foreign))} is no image of genaug, and synthetic images must not be mixed with "
                "others; give an --out that is new, empty or has only such images"
            )


def _is_ours(path: Path) -> bool:
    """Whether a file is an image that this command wrote, or half of one that was left by a kill."""
    try:
        return not path.is_symlink() and path.is_file() and (is_part(path) or read_facts(path).marked)
    except UnreadableError:
        return False


def _draw_class(sampler: Sampler, models: _Models, label: int, indices: range, seed: int, out: Path) -> None:
    generator, name = models.record.generator, models.classes[label]
    folder, weights = make_folder(out / name), models.weights(label)
    for chunk in chunks_of(indices.start, len(indices)):
        with plugin_code(f"the generator {generator!r}"):
            images, _ = draw_chunk(sampler, label, chunk, seed=seed, name=generator)
        for index, pixels in enumerate(images, start=chunk * CHUNK):
            if index not in indices:
                continue
            path = folder / synthetic_name(generator, index)
            record = draw_record(
                genaug=models.record.core,
                generator=generator,
                plugin=models.record.plugin,
                model=weights,
                seed=seed,
                class_name=name,
                index=index,
            )
            sizes = models.sizes.get(name, [pixels.shape[:2]])
            image = at_size(pixels, drawn_size(sizes, seed, generator, name, index))
            _write_once(path, marked_png(image, record | {SIZE: list(image.shape[:2])}))


def _write_once(path: Path, data: bytes) -> None:
    """Write a file that is not there yet; raises OutputError where there is one with other bytes."""
    if not path.exists():
        write_bytes(path, data)
    elif file_bytes(path) != data:
        raise OutputError(f"{path} is there already and is another image; give another --out or a higher --first")


def _find(model: Path) -> _Models:
    """A model file, a folder of them, or the output of a run; raises DataError when none is there."""
    paths = tuple(_model_files(model))
    records = [need_record(path) for path in paths]
    if not records:
        raise DataError(f"no trained model in {model}; expected OUT of a run, OUT/models/<generator>, or a model file")
    first = records[0]
    pooled = dict(enumerate(first.spec.classes))
    classes = pooled if first.label is None else {record.label or 0: record.class_name for record in records}
    drawn, sizes = _drawn_and_sizes(paths[0])
    return _Models(paths, first, classes, drawn, sizes)


def _model_files(model: Path) -> list[Path]:
    if model.is_file():
        return [model]
    if here := sorted(model.glob("*.safetensors")):
        return here
    chosen = _generators(model)
    found = {path.parent for path in (model / MODELS).glob("*/*.safetensors")}
    folders = sorted(folder for folder in found if chosen is None or folder.name in chosen)
    if len(folders) > 1:
        raise DataError(f"{model} holds models of several generators; name one: {', '.join(map(str, folders))}")
    return sorted(folders[0].glob("*.safetensors")) if folders else []


def _generators(out: Path) -> set[str] | None:
    """The generators that were requested of a run, without the one that filled up; None outside a run."""
    run = read_run(out)
    if run is None or "generators" not in run:
        return None
    generators = run["generators"]
    if not isinstance(generators, list) or not all(holds(one, {"generator": str}) for one in generators):
        raise _changed_run(out)
    return {one["generator"] for one in generators}


def _drawn_and_sizes(path: Path) -> tuple[dict[str, int], dict[str, list[Size]]]:
    """{class: images drawn} and {class: sizes} in the record of the run that trained a model; empty outside a run."""
    out = path.parent.parent.parent
    run = read_run(out) or {}
    drawn, sizes = run.get("drawn", {}), run.get("sizes", {})
    own = drawn.get(path.parent.name, {}) if isinstance(drawn, dict) else None
    if not isinstance(own, dict) or not isinstance(sizes, dict):
        raise _changed_run(out)
    if not all(type(count) is int and count >= 0 for count in own.values()):
        raise _changed_run(out)
    if not all(isinstance(some, list) and some and all(map(is_size, some)) for some in sizes.values()):
        raise _changed_run(out)
    return own, sizes


def _changed_run(out: Path) -> DataError:
    return DataError(f"{out / RUN} is not what genaug run wrote; give a copy of the model file and its .json elsewhere")
