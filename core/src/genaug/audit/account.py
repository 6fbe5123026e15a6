"""What an output says of itself: its run and the line of every image, trusted before anything inside the images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaug.errors import DataError
from genaug.mixing.lines import Line, holds, read_lines
from genaug.mixing.output import PROVENANCE
from genaug.storage import read_json

RUN = "run.json"
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
        return cls(out, run, tuple(read_lines(out / PROVENANCE)))

    @property
    def format(self) -> str:
        """In which format the images lie."""
        return str(self.run["format"])

    def model(self, sha256: str) -> Path | None:
        """The model whose recorded weights have this hash."""
        fits = [fit for fit in self.run["fits"] if fit["sha256"] == sha256]
        return self.out / fits[0]["model"] if fits else None
