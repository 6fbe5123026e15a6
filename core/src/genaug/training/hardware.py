"""Device, number of threads and precision of a training: chosen by fixed rules, never by measuring time."""

from collections.abc import Container, Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from genaug.errors import UsageError, shown
from genaug.hookspecs import PRECISIONS
from genaug.training.memory import kept_memory

# of x86 and ARM, as torch names them. oneDNN also emulates bf16 on processors without them, at half the speed of fp32
_BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def resolve_device(requested: str) -> str:
    """The device for auto, cpu, cuda, cuda:N or mps; raises UsageError for one that this machine does not have."""
    kind, _, number = requested.partition(":")
    if requested == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if requested == "cpu" or (requested == "mps" and torch.backends.mps.is_available()):
        return requested
    if kind == "cuda" and (number.isdigit() or not number) and int(number or 0) < torch.cuda.device_count():
        return requested
    raise UsageError(f"this machine has no device {shown(requested)}; available: {', '.join(_available())}")


def resolve_precision(requested: str, device: str, allowed: Container[str] = PRECISIONS) -> str:
    """The precision for auto, no, bf16 or fp16; auto is what the hardware supports natively, if it is allowed.

    Raises UsageError for fp16 without CUDA.
    """
    on_cuda = device.startswith("cuda")
    if requested == "fp16" and not on_cuda:
        raise UsageError(f"precision fp16 needs a CUDA device, got {device}; use bf16 or no")
    if requested != "auto":
        return requested
    return next(name for name in (*_native(device), "no") if name in allowed)


def _native(device: str) -> list[str]:
    """The mixed precisions that the hardware supports natively, the best first."""
    if device.startswith("cuda"):
        return ["bf16", "fp16"] if torch.cuda.is_bf16_supported(including_emulation=False) else ["fp16"]
    capabilities = torch.cpu.get_capabilities() if device == "cpu" else {}
    return ["bf16"] if any(capabilities.get(name) for name in _BF16_INSTRUCTIONS) else []


def make_accelerator(device: str, precision: str) -> Accelerator:
    """The Accelerator of one training.

    Accelerate keeps one device and one precision per process, so its state is reset when either changes.
    """
    shared = AcceleratorState._shared_state
    if shared and (shared.get("_mixed_precision") != precision or str(shared.get("device")) != device):
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device == "cpu", mixed_precision=precision)


@contextmanager
def computing(threads: int | None) -> Iterator[None]:
    """Inside the block, torch uses this many threads (None: as many as before) and freed memory stays at hand."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        with kept_memory():
            yield
    finally:
        torch.set_num_threads(before)


def side_by_side(workers: int | None) -> int:
    """How many trainings of one thread run at once: one for each worker, by default one for each thread of torch."""
    return workers or torch.get_num_threads()


def _available() -> list[str]:
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]
