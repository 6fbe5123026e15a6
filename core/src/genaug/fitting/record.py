"""The JSON record beside a model's weights: what the model is, and hashes by which a change of either file is seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from genaug.errors import DataError, GenaugError
from genaug.spec import ImageSpec
from genaug.storage import file_sha256, read_json, remove, stage_hash, write_json

FORMAT = 2  # 1: genaug 0.1.0 before it kept hashes in the record
_WEIGHTS, _RECORD = "sha256", "record"  # hashes of the weights' file, and of the other values of the record
_REMEDY = {True: "run genaug run again with another --out, or use the genaug that wrote it", False: "update genaug"}


@dataclass(frozen=True)
class ModelRecord:
    """What the record of a model says.

    key: hash of all that decided the weights. label: the class of a model of one class, else None. spec: of the images
    that it was trained on. model: the generator's settings. steps, batch_size: of the training as it went. code: hash
    of the files of its plugin; empty in records from before there was one.
    """

    key: str
    generator: str
    plugin: str
    core: str
    seed: int
    device: str
    threads: int
    label: int | None
    spec: ImageSpec
    model: dict[str, Any]
    steps: int
    batch_size: int
    code: str = ""

    @property
    def class_name(self) -> str:
        """The class of a model of one class, whose spec may list all classes."""
        return self.spec.classes[(self.label or 0) if len(self.spec.classes) > 1 else 0]


def write_record(path: Path, facts: Mapping[str, Any], spec: ImageSpec) -> None:
    """Write the record of the weights at `path`. facts: all other fields of ModelRecord, and any others."""
    record = {**facts, "format": FORMAT, "spec": asdict(spec), _WEIGHTS: file_sha256(path)}
    write_json(path.with_suffix(".json"), record | {_RECORD: stage_hash(record)})


def remove_record(path: Path) -> None:
    """Remove the record of a model, which is incomplete without it."""
    remove(path.with_suffix(".json"))


def has_record(path: Path) -> bool:
    """Whether there is a record beside the weights at `path`, sound or not."""
    return path.with_suffix(".json").is_file()


def read_record(path: Path) -> ModelRecord | None:
    """The record of the model at `path`; None if it is missing or incomplete, or one of its two files was changed."""
    values = read_json(path.with_suffix(".json")) if path.is_file() else None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        return None
    known = values.pop(_RECORD, None)
    sound = known == stage_hash(values) and values.get(_WEIGHTS) == file_sha256(path)
    return _record(values) if sound else None


def is_changed(path: Path) -> bool:
    """Whether the weights at `path` or their record were changed; False for other formats, whose hashes are unknown."""
    values = read_json(path.with_suffix(".json"))
    number = values.get("format") if isinstance(values, dict) else None
    other = isinstance(number, int) and number != FORMAT
    return not other and read_record(path) is None


def need_record(path: Path) -> ModelRecord:
    """The same; raises DataError that says what is wrong instead of None."""
    record = read_record(path)
    if record is None:
        values = read_json(path.with_suffix(".json")) if path.is_file() else None
        number = values.get("format") if isinstance(values, dict) else None
        if isinstance(number, int) and number != FORMAT:
            raise DataError(
                f"the model {path} has the {'older' if number < FORMAT else 'newer'} format {number}, and this genaug "
                f"reads format {FORMAT}; {_REMEDY[number < FORMAT]}"
            )
        raise DataError(
            f"{path} was changed, or is no model that this genaug wrote; expected a .safetensors with its .json"
        )
    return record


def _record(values: dict[str, Any]) -> ModelRecord | None:
    """The record, or None where a value is missing or of another type."""
    try:
        spec = ImageSpec(**values["spec"] | {name: tuple(values["spec"][name]) for name in ("classes", "counts")})
        known = {"code": ""} | values
        record = ModelRecord(**{one.name: known[one.name] for one in fields(ModelRecord)} | {"spec": spec})
    except (KeyError, TypeError, GenaugError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: ModelRecord) -> bool:
    spec, label = record.spec, record.label
    texts = (record.key, record.generator, record.plugin, record.core, record.device, record.code, *spec.classes)
    numbers = (record.seed, record.threads, record.steps, record.batch_size, spec.height, spec.width, *spec.counts)
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
        and record.threads >= 1
        and isinstance(record.model, dict)
        and (label is None or (isinstance(label, int) and label >= 0))
        and (label is None or len(spec.classes) == 1 or label < len(spec.classes))
    )
