"""What the provenance lines of an output say about it as a whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from genaug.output.provenance import ProvenanceLine, holder


@dataclass
class Inventory:
    """The images of an output, summed up while their lines pass by.

    images: how many there are. homes: the folder of OUT that holds each split. suffixes: those of the image files of
    each split. shards: the files that hold several images.
    """

    images: int = 0
    homes: dict[str, str] = field(default_factory=dict)
    suffixes: dict[str, set[str]] = field(default_factory=dict)
    shards: set[str] = field(default_factory=set)

    def passing(self, lines: Iterable[ProvenanceLine]) -> Iterator[ProvenanceLine]:
        """The same lines, each of which is taken into account."""
        for line in lines:
            self.images += 1
            self.homes.setdefault(line["split"], holder(line).partition("/")[0])
            self.suffixes.setdefault(line["split"], set()).add(_suffix(line.get("member", line["file_name"])))
            if "shard" in line:
                self.shards.add(line["shard"])
            yield line


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]
