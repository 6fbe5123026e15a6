"""Reads the headers of all files, which decide the size and colour of models before any image is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass

from genaug.data.decode import read_facts
from genaug.data.reading import read_all
from genaug.data.resize import POLICIES, choose_policy, choose_size
from genaug.data.scan import FoundFile, Scan, Skipped
from genaug.errors import DataError, unknown
from genaug.spec import ImageSpec


@dataclass(frozen=True)
class Headers:
    """What the headers of the files say.

    files: those with a readable header, by split, class and name. unreadable: the others. sizes: (width, height) of the
    training images. channels, height, width: of the images that models see. policy: how images are resized to that.
    """

    files: tuple[FoundFile, ...]
    unreadable: tuple[Skipped, ...]
    sizes: tuple[tuple[int, int], ...]
    channels: int
    height: int
    width: int
    policy: str


def read_headers(found: Scan, size: tuple[int, int] | None, policy: str) -> Headers:
    """Read the headers of a scan's files. size, policy: those that the user chose, or None and auto.

    Raises DataError if no training file has a readable header, UsageError for a bad size or an unknown policy.
    """
    files = [file for split in found.splits.values() for file in sorted(split, key=_label_and_name)]
    pairs, unreadable = read_all(files, lambda _, file: read_facts(file.path), found.root)
    facts = [fact for place, fact in pairs if files[place].split == "train"]
    refuse_nothing(facts, found, unreadable)
    sizes = tuple((fact.width, fact.height) for fact in facts)
    channels = 1 if all(fact.grey for fact in facts) else 3
    height, width = size or choose_size(sizes)
    ImageSpec(channels, height, width, ("any",), (1,))  # raises for a bad size before any image is decoded
    if policy not in ("auto", *POLICIES):
        raise unknown("resize", policy, ("auto", *POLICIES))
    policy = choose_policy(sizes, height, width) if policy == "auto" else policy
    readable = tuple(files[place] for place, _ in pairs)
    return Headers(readable, tuple(unreadable), sizes, channels, height, width, policy)


def refuse_nothing(train: Sequence[object], found: Scan, bad: Sequence[Skipped]) -> None:
    """Raise DataError if there is nothing to train on. bad: what could not be read, for an example."""
    if not train:
        example = next((f" ({entry.path}: {entry.reason})" for entry in bad if entry.split == "train"), "")
        raise DataError(
            f"no file of the classes in {found.train_root} can be read as an image{example}; expected at least one "
            "image in a supported format"
        )


def _label_and_name(file: FoundFile) -> tuple[str, str]:
    return file.label_name, file.name
