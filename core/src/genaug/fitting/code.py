"""The identity of a plugin's code: a hash of its files, so that an edited plugin is not taken for the one before."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, requires
from importlib.util import find_spec
from pathlib import Path

from genaug.hookspecs import GeneratorDescription, SelectorDescription
from genaug.registry import GROUP, Source
from genaug.storage import file_sha256, stage_hash

_NAME = re.compile(r"[A-Za-z0-9._-]+")  # at the beginning of a requirement
_COMPILED = ("__pycache__", ".pyc")


def code_hash(description: GeneratorDescription | SelectorDescription, source: Source) -> str:
    """A hash of all files of the package of a generator or selector, code and data, and of the plugins it depends on.

    Of core's own, those of the package `genaug.generators` or `genaug.selectors`; core's version stands for the rest.
    """
    module = description.factory.partition(":")[0]
    if source.distribution == "genaug":
        packages = [module.rpartition(".")[0]]
    else:
        packages = sorted({module.partition(".")[0], *_packages_below(source.distribution, set())})
    return stage_hash([[name, [(path, file_sha256(file)) for path, file in _files(name)]] for name in packages])


def _packages_below(distribution: str, seen: set[str]) -> Iterator[str]:
    """The packages of all plugins that a distribution requires, and of those that these require."""
    try:
        needed = {_normal(found[0]) for text in requires(distribution) or () if (found := _NAME.match(text))}
    except PackageNotFoundError:
        return
    for entry in entry_points(group=GROUP):
        name = _normal(entry.dist.name) if entry.dist is not None else ""
        if name in needed - seen:
            seen.add(name)
            yield entry.module.partition(".")[0]
            yield from _packages_below(name, seen)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(package: str) -> list[tuple[str, Path]]:
    """Each file of a package or module with its path in it, in order, but not what Python compiles itself."""
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        return [] if spec is None or spec.origin is None else [(Path(spec.origin).name, Path(spec.origin))]
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    found = [(file.relative_to(folder).as_posix(), file) for folder in folders for file in folder.rglob("*")]
    return sorted((path, file) for path, file in found if file.is_file() and not any(one in path for one in _COMPILED))
