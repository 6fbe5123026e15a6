"""Draws an image again from its record and compares it with the file."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.audit.records import OutputRecords
from genaug.audit.stored import images_in_shard
from genaug.data.decode import UnreadableError, decode_bytes
from genaug.errors import DataError, UsageError
from genaug.fitting import CHUNK, draw_chunk, load_sampler, read_record
from genaug.generator import Sampler
from genaug.output.mark import marked_png, read_mark
from genaug.output.provenance import DRAW, ProvenanceLine, holder, holds
from genaug.registry import load_registry
from genaug.spec import ImageSpec
from genaug.storage import file_bytes, file_sha256
from genaug.training import resolve_device, using_threads


@dataclass(frozen=True)
class Replay:
    """The comparison of a file with the image drawn again.

    identical: whether the two have the same bytes. as_written: whether the image drawn again has the bytes that the run
    wrote; None where no provenance says that. largest, mean: difference of pixels in grey levels; None where the sizes
    differ. device: where it was drawn again. plugin: what drew it first; installed: what draws it now.
    """

    file: str
    generator: str
    label: str
    index: int
    identical: bool
    as_written: bool | None
    largest: float | None
    mean: float | None
    device: str
    plugin: str
    installed: str

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def replay(file: Path, models: Path | None = None) -> Replay:
    """Draw FILE again, by the provenance of the output in which it lies, else by its mark. Writes nothing.

    models: the output whose models are used; the one in which FILE lies if left out.
    Raises DataError where FILE has no record, where its model is missing or changed, or for a real image.
    """
    records = OutputRecords.around(file)
    line = None if records is None else _line_of(records, file)
    data = _read(file, records, line)
    facts = _facts(file, data, line)
    home = records if models is None else OutputRecords.read(models)
    if home is None:
        raise DataError(f"{file} lies in no output of a run; say with --models whose models drew it")
    pixels, device = _draw_again(_model(home, facts), facts)
    return _compared(file, data, facts, line, pixels, device)


def _line_of(records: OutputRecords, file: Path) -> ProvenanceLine | None:
    name = file.absolute().relative_to(records.out).as_posix()
    return next((line for line in records.lines if line["file_name"] == name), None)


def _read(file: Path, records: OutputRecords | None, line: ProvenanceLine | None) -> bytes:
    """The bytes of a file, or of an image in a shard, by its name in the provenance."""
    if file.is_file():
        return file_bytes(file)
    shard = None if records is None or line is None else records.out / holder(line)
    if records is not None and line is not None and shard is not None and shard.is_file():
        for stored in images_in_shard(records, holder(line), shard):
            if stored.name == line["file_name"] and stored.data is not None:
                return stored.data
    raise DataError(f"there is no image {file}; expected a file that genaug drew, or the name of one in a shard")


def _facts(file: Path, data: bytes, line: ProvenanceLine | None) -> dict[str, Any]:
    """The record of the draw: that of the provenance, else that of the mark inside the file."""
    if line is not None and not line["synthetic"]:
        raise DataError(f"{file} is a real image; only synthetic ones can be drawn again")
    record: Mapping[str, Any] | None = read_mark(data) if line is None else line
    if not holds(record, DRAW):
        raise DataError(f"{file} has no record of its draw, neither in a provenance nor in itself")
    return {key: (record or {})[key] for key in DRAW}


def _model(home: OutputRecords, facts: Mapping[str, Any]) -> Path:
    """The model, found by the recorded hash of its weights."""
    path = home.model(facts["model"])
    if path is None:
        raise DataError(f"no model of {home.out} has the weights {facts['model'][:12]} that drew this image")
    if not path.is_file() or file_sha256(path) != facts["model"]:
        raise DataError(f"{path} is gone or changed since it drew this image; expected weights {facts['model'][:12]}")
    return path


def _draw_again(model: Path, facts: Mapping[str, Any]) -> tuple[NDArray[np.uint8], str]:
    """Pixels uint8 [H, W, C], drawn in a whole chunk with the recorded number of threads, and the device."""
    record = read_record(model)
    if record is None:
        raise DataError(f"the record beside {model} is gone or damaged")
    device = _device(record["device"])
    sampler, label = _sampler(model, record, facts["class"], device)
    with using_threads(record["threads"]):
        chunk, place = divmod(facts["index"], CHUNK)
        images, _ = draw_chunk(sampler, label, chunk, seed=facts["seed"], name=facts["generator"])
    return images[place], device


def _device(recorded: str) -> str:
    """The recorded kind of device, or the CPU where this machine has none; the difference then shows it."""
    try:
        return resolve_device(recorded)
    except UsageError:
        return "cpu"


def _sampler(model: Path, record: Mapping[str, Any], name: str, device: str) -> tuple[Sampler, int]:
    """The model as the run's sampler, and the label of a class in it."""
    values = record["spec"]
    classes, own = tuple(values["classes"]), record["label"]
    if own is not None and len(classes) == 1:  # a model of one class knows only its own name, at label 0
        classes = ("",) * own + classes
    if name not in classes:
        raise DataError(f"{model} knows no class {name!r}; it knows {', '.join(map(repr, filter(None, classes)))}")
    spec = ImageSpec(values["channels"], values["height"], values["width"], classes, (0,) * len(classes))
    return load_sampler((model,), spec, load_registry(), device), classes.index(name)


def _compared(
    file: Path, data: bytes, facts: dict[str, Any], line: ProvenanceLine | None, pixels: NDArray[np.uint8], device: str
) -> Replay:
    again = marked_png(pixels, facts)
    distances = _distances(data, pixels)
    source = load_registry().generators.source(facts["generator"])
    return Replay(
        file=str(file),
        generator=facts["generator"],
        label=facts["class"],
        index=facts["index"],
        identical=again == data,
        as_written=None if line is None else hashlib.sha256(again).hexdigest() == line["sha256"],
        largest=None if distances is None else float(distances.max()),
        mean=None if distances is None else round(float(distances.mean()), 4),
        device=device,
        plugin=facts["plugin"],
        installed=f"{source.distribution} {source.version}",
    )


def _distances(data: bytes, pixels: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    try:
        there = decode_bytes(data).pixels
    except UnreadableError:
        return None
    if there.shape[:2] != pixels.shape[:2]:
        return None
    return np.abs(there.astype(np.float64) - pixels.astype(np.float64))
