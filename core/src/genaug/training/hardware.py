"""Where training runs, how many threads it has, and in which precision: fixed rules, never a timing."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from genaug.errors import UsageError


def resolve_device(wish: str) -> str:
    """Turn auto | cpu | cuda | cuda:N | mps into the device to use; raises UsageError for one that is not there."""
    kind, _, number = wish.partition(":")
    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if wish == "cpu" or (wish == "mps" and torch.backends.mps.is_available()):
        return wish
    if kind == "cuda" and (number.isdigit() or not number) and int(number or 0) < torch.cuda.device_count():
        return wish
    raise UsageError(f"device {wish!r} is not here; available: {', '.join(_available())}")


def resolve_precision(wish: str, device: str) -> str:
    """Turn auto into no | bf16 | fp16 by what the hardware does natively; raises UsageError for an impossible fp16."""
    on_cuda = device.startswith("cuda")
    if wish == "fp16" and not on_cuda:
        raise UsageError(f"precision fp16 needs a CUDA device, got {device}; use bf16 or no")
    if wish != "auto":
        return wish
    if on_cuda:
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    native = device == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if native else "no"


def make_accelerator(device: str, precision: str) -> Accelerator:
    """The Accelerator of one training. Accelerate keeps one precision per process, so another one starts it afresh."""
    shared = AcceleratorState._shared_state
    if shared and (shared.get("_mixed_precision") != precision or str(shared.get("device")) != device):
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device == "cpu", mixed_precision=precision)


@contextmanager
def using_threads(count: int | None) -> Iterator[None]:
    """Let torch use that many threads inside the block; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _available() -> list[str]:
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]
