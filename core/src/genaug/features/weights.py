"""Weights of public networks: found at a path or in the cache, or downloaded and checked against a known hash."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.hub import download_url_to_file, get_dir

from genaug.errors import DataError, OutputError, UsageError
from genaug.storage import make_folder, write_with

_TAG = 4
_UNREADABLE = (  # every error that torch's safe unpickler was observed to raise on damaged files
    UnpicklingError,
    SafetensorError,
    RuntimeError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)


@dataclass(frozen=True)
class Public:
    """A public network.

    name: how users and results name it. file: name of its weights file in torch's cache.
    url: address of the file; empty if no hash of a download is known. sha256: first characters of the file's hash.
    """

    name: str
    file: str
    url: str = ""
    sha256: str = ""


INCEPTION = Public(
    name="inception",
    file="weights-inception-2015-12-05-6726825d.pth",
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d",
)
DINOV2 = Public(name="dinov2", file="dinov2_vits14.safetensors")


@dataclass(frozen=True)
class Weights:
    """A weights file and the name of its network; the name ends in the start of the hash if it is not the known one."""

    path: Path
    name: str


def find_weights(public: Public, path: Path | None, *, allow_download: bool = False) -> Weights:
    """Find the weights of a public network: the file at `path`, else the file in torch's cache, else a download.

    The cache and downloads are used only for a network with a known hash, a download only if it is allowed.
    Raises UsageError if `path` is no file, DataError if no weights are found or the hash of the cached file or download
    is wrong, OutputError if a download cannot be stored.
    """
    if path is not None:
        if not path.is_file():
            raise UsageError(f"weights of {public.name}: expected a file, got {path}")
        digest = _sha256(path)
        known = public.sha256 and digest.startswith(public.sha256)
        return Weights(path, public.name if known else f"{public.name}:{digest[:_TAG]}")
    cached = Path(get_dir()) / "checkpoints" / public.file
    if cached.is_file() and public.sha256:
        return Weights(_checked(cached, public), public.name)
    if allow_download and public.url:
        return Weights(_download(public, cached), public.name)
    ways = ["give their file with --weights"]
    if public.url:
        ways += [f"put it into {cached.parent}", "allow the download with --allow-download"]
    raise DataError(f"the weights of {public.name} are not on this machine ({public.file}); {', or '.join(ways)}")


def load_state(weights: Weights) -> dict[str, torch.Tensor]:
    """The tensors of a weights file by name. No code in a pickle is run; raises DataError for any other content."""
    try:
        if weights.path.suffix == ".safetensors":
            return load_file(weights.path)
        state = torch.load(weights.path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise DataError(f"{weights.path} holds no weights that can be read safely: {_first_line(error)}") from error
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise DataError(f"{weights.path} holds no table of named tensors")
    return state


def _download(public: Public, path: Path) -> Path:
    def fetch(beside: Path) -> None:
        try:
            download_url_to_file(public.url, str(beside), progress=False)
        except URLError as error:
            raise DataError(f"the weights of {public.name} could not be downloaded: {error.reason}") from error
        _checked(beside, public)

    try:
        make_folder(path.parent)
        write_with(path, fetch)
    except OutputError as error:
        raise OutputError(
            f"the weights of {public.name} cannot be stored in {path.parent}; set TORCH_HOME to a writable "
            f"folder, or give their file with --weights ({error.__cause__ or error})"
        ) from error
    return path


def _checked(path: Path, public: Public) -> Path:
    digest = _sha256(path)
    if not digest.startswith(public.sha256):
        raise DataError(
            f"{path} is not the published file: its sha256 begins with {digest[:8]}, not {public.sha256}; remove it"
        )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
