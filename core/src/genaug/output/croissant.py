"""The Croissant description of an output: its files and records in the vocabulary of schema.org and MLCommons."""

from collections.abc import Iterator, Mapping, Sequence, Set
from mimetypes import guess_type
from typing import Any

from genaug.mixing.mixed import MixedSet
from genaug.output.files import PROVENANCE, SHARDS
from genaug.output.folder import data_globs
from genaug.output.formats.shards import readable
from genaug.output.inventory import Inventory

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_RECORDED = {"split": "sc:Text", "synthetic": "sc:Boolean", "generator": "sc:Text"}
_PNG = "image/png"


def croissant(mixed: MixedSet, inventory: Inventory, written: Mapping[str, str]) -> dict[str, Any]:
    """The description. written: {file: SHA-256} of the files that hold records."""
    name, classes = mixed.record["format"], mixed.loaded.spec.classes
    globs = data_globs(name, inventory.homes)
    shards = [file for file in written if file.startswith(f"{SHARDS}/")]
    archives = shards if name == "webdataset" else []
    files = [_file(file, written[file]) for file in [PROVENANCE, *archives]]
    sets = [_file_set(split, path, name, inventory.suffixes[split], archives) for split, path in globs.items()]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "synthetic-images" if mixed.record["only_synthetic"] else "real-and-synthetic-images",
        "description": f"Class-labelled images, some of them drawn by genaug: {PROVENANCE} says which, and how.",
        "version": mixed.record["genaug"],
        "distribution": [*files, *sets],
        "recordSet": [_classes(classes), *(_records(split, name) for split in globs)],
    }


def _file(name: str, sha256: str) -> dict[str, Any]:
    kind = "application/jsonlines" if name == PROVENANCE else "application/x-tar"
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": kind,
        "sha256": sha256,
    }


def _file_set(split: str, path: str, name: str, suffixes: Set[str], archives: Sequence[str]) -> dict[str, Any]:
    """The files of one split; for tar shards, the images inside them."""
    own = [file for file in archives if file.startswith(f"{SHARDS}/{split}-")]
    found: dict[str, Any] = {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "encodingFormat": "application/x-parquet" if name == "parquet" else _kinds(suffixes),
        "includes": f"{split}-*{min(suffixes)}" if own else path.replace("/**", "/*"),
    }
    return found | ({"containedIn": [{"@id": file} for file in own]} if own else {})


def _kinds(suffixes: Set[str]) -> list[str]:
    """The media types of the images, PNG first: Croissant readers use the first that they know and go by the bytes."""
    kinds = {guess_type(f"x{suffix}")[0] or _PNG for suffix in suffixes}
    return [_PNG, *sorted(kinds - {_PNG})]


def _classes(classes: Sequence[str]) -> dict[str, Any]:
    """The class names at their labels."""
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "key": {"@id": "classes/label"},
        "field": [_field("classes", "label", "sc:Integer"), _field("classes", "name", "sc:Text")],
        "data": [
            {"classes/label": label, "classes/name": readable(class_name)} for label, class_name in enumerate(classes)
        ],
    }


def _records(split: str, name: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "field": list(_in_parquet(split) if name == "parquet" else _in_files(split, name)),
    }


def _in_parquet(split: str) -> Iterator[dict[str, Any]]:
    files = {"fileSet": {"@id": f"{split}-files"}}
    picture = files | {"extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
    yield _field(split, "image", "sc:ImageObject", source=picture)
    yield _field(split, "label", "sc:Integer", source=files | {"extract": {"column": "label"}})
    for column, kind in {"file_name": "sc:Text", **_RECORDED}.items():
        yield _field(split, column, kind, source=files | {"extract": {"column": column}})


def _in_files(split: str, name: str) -> Iterator[dict[str, Any]]:
    """Image files joined with the provenance by their paths, or by their names inside tar shards."""
    files, recorded = {"fileSet": {"@id": f"{split}-files"}}, {"fileObject": {"@id": PROVENANCE}}
    where, column = ("filename", "member") if name == "webdataset" else ("fullpath", "file_name")
    place = files | {"extract": {"fileProperty": where}, "transform": {"regex": "([\\s\\S]*)"}}
    yield _field(split, "image", "sc:ImageObject", source=files | {"extract": {"fileProperty": "content"}})
    known = recorded | {"extract": {"column": column}}
    yield _field(split, "file_name", "sc:Text", source=place, references=known)
    # not the column `label`: readers would read a class called 001 as a number
    folder = recorded | {"extract": {"column": "file_name"}, "transform": {"regex": "[^/]+/([^/]+)/"}}
    yield _field(split, "label", "sc:Text", source=folder)
    for other, kind in _RECORDED.items():
        yield _field(split, other, kind, source=recorded | {"extract": {"column": other}})


def _field(owner: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"{owner}/{name}", "name": name, "dataType": kind} | more
