"""The records of an output: the record of its run, and the provenance line of every image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaug.errors import DataError
from genaug.output.files import RUN, is_inside
from genaug.output.provenance import ProvenanceLine, has_provenance, holds, read_provenance
from genaug.output.run_file import has_run, read_run

_FIT = {"model": str, "sha256": str}
_RUN = {"format": str, "classes": list, "fits": list, "written": dict}


@dataclass(frozen=True)
class OutputRecords:
    """The records of OUT, which are trusted before anything that the images say. lines: in order. run: of the run."""

    out: Path
    run: dict[str, Any]
    lines: tuple[ProvenanceLine, ...]

    @classmethod
    def read(cls, out: Path) -> "OutputRecords":
        """Read the records; raises DataError where they are missing or not what a run wrote."""
        run = read_run(out)
        if run is None or not holds(run, _RUN) or not all(map(_is_sound, run["fits"])):
            raise DataError(f"{out} is no finished output of genaug run; expected a whole {RUN} in it")
        return cls(out, run, tuple(read_provenance(out)))

    @classmethod
    def around(cls, file: Path) -> "OutputRecords | None":
        """The records of the output in which a file lies; None where it lies in none."""
        folders = (folder for folder in file.absolute().parents if has_run(folder) and has_provenance(folder))
        out = next(folders, None)
        return None if out is None else cls.read(out)

    @property
    def format(self) -> str:
        """The format of the images."""
        return str(self.run["format"])

    def model(self, sha256: str) -> Path | None:
        """The model whose recorded weights have this hash."""
        fits = [fit for fit in self.run["fits"] if fit["sha256"] == sha256]
        return self.out / fits[0]["model"] if fits else None


def _is_sound(fit: Any) -> bool:
    """Whether the record of a model names a file in OUT and its hash."""
    return holds(fit, _FIT) and is_inside(fit["model"])
