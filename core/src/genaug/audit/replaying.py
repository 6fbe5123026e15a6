"""Draws an image again from its record and compares it with the file."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.audit.records import OutputRecords
from genaug.audit.stored import DamagedShardError, images_in_shard
from genaug.data.decode import UnreadableError, decode_bytes
from genaug.data.duplicates import pixel_hash
from genaug.data.resize import resize
from genaug.errors import DataError, UsageError, shown
from genaug.executors import plugin_code
from genaug.fitting import (
    CHUNK,
    ModelRecord,
    draw_chunk,
    image_noise,
    load_generator,
    load_sampler,
    need_record,
    variant_generator,
)
from genaug.generator import Sampler, VariantGenerator
from genaug.output.mark import marked_png, read_mark
from genaug.output.provenance import DRAW, SIZE, ProvenanceLine, holder, holds, is_size
from genaug.registry import load_registry
from genaug.storage import file_bytes, file_sha256
from genaug.training import computing, resolve_device


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


def replay(file: Path, models: Path | None = None, data: Path | None = None) -> Replay:
    """Draw FILE again, by the provenance of the output in which it lies, else by its mark. Writes nothing.

    models: the output whose models are used; the one in which FILE lies if left out. data: the folder of real images,
    for a variant of a real image that the output does not hold at its own size. Raises DataError where FILE has no
    record, where its model or that image is missing or changed, or for a real image.
    """
    records = OutputRecords.around(file)
    line = None if records is None else _line_of(records, file)
    written = _read(file, records, line)
    facts = _facts(file, written, line)
    home = records if models is None else OutputRecords.read(models)
    if home is None:
        raise DataError(f"{file} lies in no output of a run; say with --models whose models drew it")
    pixels, device = _draw_again(home, facts, data)
    return _compared(file, written, facts, line, pixels, device)


def _line_of(records: OutputRecords, file: Path) -> ProvenanceLine | None:
    name = file.absolute().relative_to(records.out).as_posix()
    return next((line for line in records.lines if line["file_name"] == name), None)


def _read(file: Path, records: OutputRecords | None, line: ProvenanceLine | None) -> bytes:
    """The bytes of a file, or of an image in a shard, by its name in the provenance."""
    if file.is_file():
        return file_bytes(file)
    shard = None if records is None or line is None else records.out / holder(line)
    if records is not None and line is not None and shard is not None and shard.is_file():
        try:
            for stored in images_in_shard(records, holder(line), shard):
                if stored.name == line["file_name"] and stored.data is not None:
                    return stored.data
        except DamagedShardError as error:
            raise DataError(f"{shard} cannot be read to its end: {error}") from error
    raise DataError(f"there is no image {file}; expected a file that genaug drew, or the name of one in a shard")


def _facts(file: Path, data: bytes, line: ProvenanceLine | None) -> dict[str, Any]:
    """The record of the draw: that of the provenance, else that of the mark inside the file."""
    if line is not None and not line["synthetic"]:
        raise DataError(f"{file} is a real image; only synthetic ones can be drawn again")
    record: Mapping[str, Any] | None = read_mark(data) if line is None else line
    if not holds(record, DRAW):
        raise DataError(f"{file} has no record of its draw, neither in a provenance nor in itself")
    facts = {key: value for key, value in (record or {}).items() if key in DRAW or key == SIZE}
    if SIZE in facts and not is_size(facts[SIZE]):
        raise DataError(f"the record of {file} says the size {shown(facts[SIZE])}; expected height and width")
    return facts


def _model(home: OutputRecords, facts: Mapping[str, Any]) -> Path:
    """The model, found by the recorded hash of its weights."""
    path = home.model(facts["model"])
    if path is None:
        raise DataError(f"no model of {home.out} has the weights {facts['model'][:12]} that drew this image")
    if not path.is_file() or file_sha256(path) != facts["model"]:
        raise DataError(f"{path} is gone or changed since it drew this image; expected weights {facts['model'][:12]}")
    return path


def _draw_again(home: OutputRecords, facts: Mapping[str, Any], data: Path | None) -> tuple[NDArray[np.uint8], str]:
    """Pixels uint8 [H, W, C], drawn with the recorded number of threads and brought to the written size; the device."""
    model = _model(home, facts)
    record = need_record(model)
    device = _device(record.device)
    with computing(record.threads):
        description = load_registry().generators.get(facts["generator"])
        if description.from_originals:
            generator = variant_generator(load_generator(model, description))
            return _varied_again(home, generator, facts, data), device
        sampler, label = _sampler(model, record, facts["class"], device)
        chunk, place = divmod(facts["index"], CHUNK)
        with plugin_code(f"the generator {facts['generator']!r}"):
            images, _ = draw_chunk(sampler, label, chunk, seed=facts["seed"], name=facts["generator"])
    return _at_written_size(images[place], facts, "stretch"), device


def _varied_again(
    home: OutputRecords, generator: VariantGenerator[Any], facts: Mapping[str, Any], data: Path | None
) -> NDArray[np.uint8]:
    """A variant of a real image, made from that image at its own size."""
    noise = image_noise(facts["seed"], facts["generator"], facts["class"], [facts["index"]])
    original = _original(home, facts, data)
    height, width = original.shape[:2]
    pixels = resize(original, height, width, generator.spec.channels, "stretch")
    with plugin_code(f"the generator {facts['generator']!r}"):
        again = generator.from_original(pixels, noise)
    return _at_written_size(again, facts, home.run["resize"])


def _at_written_size(pixels: NDArray[np.uint8], facts: Mapping[str, Any], policy: str) -> NDArray[np.uint8]:
    height, width = facts.get(SIZE, pixels.shape[:2])
    return pixels if (height, width) == pixels.shape[:2] else resize(pixels, height, width, pixels.shape[2], policy)


def _original(home: OutputRecords, facts: Mapping[str, Any], data: Path | None) -> NDArray[np.uint8]:
    """The real image that a variant was made from, as its file holds it: from the output, or from DATA."""
    line = next((one for one in home.lines if all(one.get(key) == facts[key] for key in DRAW)), None)
    if line is None:
        raise DataError(f"{home.out} has no record of this image; say with --models whose models drew it")
    if len(parents := line.get("parents", [])) != 1:
        raise DataError(f"{line['file_name']} is a variant of one image, and its record names {len(parents)}")
    (name,) = parents
    real = next((one for one in home.lines if one["file_name"] == name), None)
    if real is not None and real["pixels"] == real["source_pixels"]:
        pixels = decode_bytes(_read(home.out / name, home, real)).pixels
        if pixel_hash(pixels) != real["pixels"]:
            raise DataError(f"{home.out / name} has changed since this variant of it was made")
        return pixels
    source = name if real is None else real["source"]
    paths = [] if data is None else [data / source, data / "train" / source]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise DataError(f"it is a variant of {source}, which {home.out} does not hold; say with --data where it lies")
    return decode_bytes(file_bytes(found)).pixels


def _device(recorded: str) -> str:
    """The recorded kind of device, or the CPU where this machine has none; the difference then shows it."""
    try:
        return resolve_device(recorded)
    except UsageError:
        return "cpu"


def _sampler(model: Path, record: ModelRecord, name: str, device: str) -> tuple[Sampler, int]:
    """The model as the run's sampler, and the label of a class in it."""
    classes, own = record.spec.classes, record.label
    if own is not None and len(classes) == 1:  # a model of one class knows only its own name, at label 0
        classes = ("",) * own + classes
    if name not in classes:
        raise DataError(f"{model} knows no class {name!r}; it knows {', '.join(map(repr, filter(None, classes)))}")
    spec = replace(record.spec, classes=classes, counts=(0,) * len(classes))
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
