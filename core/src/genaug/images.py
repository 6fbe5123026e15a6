"""Converts images between uint8 arrays and float tensors; no other module does."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["to_float", "to_uint8"]


def to_float(images: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, H, W, C] in [0, 255] to float32 [N, C, H, W] in [-1, 1]."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return pixels.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Float [N, C, H, W] in [-1, 1], clamped, to uint8 [N, H, W, C], rounded to nearest."""
    pixels = images.detach().to("cpu", torch.float32).clamp(-1.0, 1.0).add(1.0).mul(127.5).round()
    return pixels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def to_unit(images: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, H, W, C] to float32 [N, C, H, W] in [0, 1], as torchvision's ToTensor gives them."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
