"""What an output says of itself: its run and the line of every image, trusted before anything inside the images."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaug.errors import DataError
from genaug.mixing.output import PROVENANCE
from genaug.storage import read_json

Line = Mapping[str, Any]
RUN = "run.json"
DRAW = {"genaug": str, "generator": str, "plugin": str, "model": str, "seed": int, "class": str, "index": int}
_LINE = {"file_name": str, "sha256": str, "pixels": str, "split": str, "label": str, "synthetic": bool}
_FIT = {"model": str, "sha256": str}
_RUN = {"format": str, "classes": list, "fits": list, "written": dict}


@dataclass(frozen=True)
class Account:
    """The records of OUT. lines: of every image, in order. run: what run.json holds."""

    out: Path
    run: dict[str, Any]
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, out: Path) -> "Account":
        """Read the records; raises DataError where they are not there or not what a run wrote."""
        run = read_json(out / RUN) if out.is_dir() else None
        if run is None or not holds(run, _RUN) or not all(holds(fit, _FIT) for fit in run["fits"]):
            raise DataError(f"{out} is no finished output of genaug run; expected a whole {RUN} in it")
        return cls(out, run, tuple(_lines(out / PROVENANCE)))

    @property
    def format(self) -> str:
        """In which format the images lie."""
        return str(self.run["format"])

    def model(self, sha256: str) -> Path | None:
        """The model whose recorded weights have this hash."""
        fits = [fit for fit in self.run["fits"] if fit["sha256"] == sha256]
        return self.out / fits[0]["model"] if fits else None


def holds(values: Any, kinds: Mapping[str, type]) -> bool:
    """Whether plain values are a table with these keys and kinds."""
    return isinstance(values, Mapping) and all(isinstance(values.get(key), kind) for key, kind in kinds.items())


def _lines(path: Path) -> Iterator[Line]:
    if not path.is_file():
        raise DataError(f"{path} is not there; without it nothing can be told of the images beside it")
    for number, text in enumerate(path.read_bytes().splitlines(), start=1):
        line = _parsed(text)
        if not holds(line, _LINE) or (line["synthetic"] and not holds(line, DRAW)):
            raise DataError(f"line {number} of {path} is not what genaug wrote; expected the JSON record of an image")
        yield line


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
