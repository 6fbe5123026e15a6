"""Networks whose pretrained weights stay: their features, computed once for each image, and a linear layer on these."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from genaug.chance import Noise, seeded
from genaug.errors import DataError, UsageError
from genaug.images import to_float
from genaug.spec import ImageSpec
from genaug.storage import file_sha256
from genaug.studies.classifier_training import ImageChanges
from genaug.studies.networks import SMALL, load_weights, make_network, unit_input
from genaug.studies.training_parts import changed_images

VARIANTS = 4  # changed copies of each image
_LEAST_SIDE = 128  # pixels; public networks were trained with larger images and see little in smaller ones
_CHUNK = 32
_MOST = 100_000  # features in memory
_TINY = 1e-3

Pixels = NDArray[np.uint8]


class FeatureHead(nn.Module):
    """A linear layer on standardised features [N, D], to logits [N, K]."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.linear = nn.Linear(width, classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def fit(self, features: Tensor) -> None:
        """Take mean and spread from features [N, D]."""
        self.mean.copy_(features.mean(dim=0))
        self.spread.copy_(features.std(dim=0, correction=0).clamp_min(_TINY))

    def forward(self, features: Tensor) -> Tensor:
        """Logits [N, K]."""
        logits: Tensor = self.linear((features - self.mean) / self.spread)
        return logits


class FrozenNetwork(nn.Module):
    """A network in eval mode without gradients, and a linear layer on its features.

    Images [N, C, H, W] in [-1, 1] to logits [N, K]. Small images are enlarged to a shorter side of 128 pixels.
    """

    def __init__(self, base: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(requires_grad=False).eval().to(memory_format=torch.channels_last)
        self.head = FeatureHead(width, classes)

    def train(self, mode: bool = True) -> Self:
        """Training mode of the linear layer alone."""
        super().train(mode)
        self.base.eval()
        return self

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] in [-1, 1] to features [N, D]."""
        enlarged = _LEAST_SIDE / min(images.shape[2:])
        if enlarged > 1:
            images = F.interpolate(images, scale_factor=enlarged, mode="bicubic", align_corners=False).clamp(-1, 1)
        found: Tensor = self.base(images.contiguous(memory_format=torch.channels_last))  # a third of the time less
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, K]."""
        logits: Tensor = self.head(self.features(images))
        return logits


def frozen_network(name: str, spec: ImageSpec, weights: Path | None) -> FrozenNetwork:
    """A network of torchvision or timm without its last layer, with a new one. weights: None for a network to load.

    Raises DataError where the file lacks a tensor of any other layer, which would then be random.
    """
    network = load_weights(name, len(spec.classes), weights, whole=True)
    place, last = [(place, layer) for place, layer in network.named_modules() if isinstance(layer, nn.Linear)][-1]
    network.set_submodule(place, nn.Identity())
    return FrozenNetwork(unit_input(network), last.in_features, len(spec.classes))


class FrozenFeatures:
    """Features of images by one frozen network, each computed once and kept in memory."""

    def __init__(self, network: FrozenNetwork, device: str) -> None:
        self._network, self._device = network.to(device), device
        self._known: dict[tuple[bytes, int, str], Tensor] = {}

    def of(self, images: Pixels, changes: ImageChanges | None) -> Tensor:
        """Features of each image as it is and of its changed copies, float32 [N, V, D]; V is 1 for None.

        images: uint8 [N, H, W, C]. A copy depends on the image, its number and the changes alone.
        """
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        return torch.stack(
            [self._all(images, keys, number, changes) for number in range(1 + VARIANTS * bool(changes))], 1
        )

    def _all(self, images: Pixels, keys: Sequence[bytes], number: int, changes: ImageChanges | None) -> Tensor:
        """The features of one copy of each image, float32 [N, D]; copy 0 is the image itself."""
        kind = "" if changes is None or not number else changes.model_dump_json()
        wanted = {(key, number, kind): place for place, key in enumerate(keys)}
        missing = [(key, place) for key, place in wanted.items() if key not in self._known]
        if len(self._known) + len(missing) > _MOST:
            self._known.clear()
            missing = list(wanted.items())
        for start in range(0, len(missing), _CHUNK):
            part = missing[start : start + _CHUNK]
            shown = to_float(images[[place for _, place in part]])
            if number:
                noise = Noise.per_image(0, "copy for features", [(key[0].hex(), number) for key, _ in part])
                shown = changed_images(shown, noise, changes)
            found = self._network.features(shown.to(self._device)).float().cpu()
            self._known |= zip((key for key, _ in part), found, strict=True)
        return torch.stack([self._known[key, number, kind] for key in keys])


def make_classifier(name: str, spec: ImageSpec, weights: Path | None = None, *, frozen: bool = False) -> nn.Module:
    """A network from images [N, C, H, W] in [-1, 1] to logits [N, K]; frozen but for its last layer where wanted."""
    return frozen_network(name, spec, weights) if frozen else make_network(name, spec, weights)


def check_frozen(name: str, spec: ImageSpec, weights: Path | None) -> None:
    """Raise UsageError or DataError for a network whose features are no use, or cannot be computed."""
    if name == SMALL or weights is None:
        raise UsageError(
            "frozen features come from a network that has learned from other images: give --classifier, such as "
            "timm:tf_efficientnet_lite0, and the file of its weights (--weights)"
        )
    with seeded(0, "check"):
        network = frozen_network(name, spec, weights)
    try:
        found = network(torch.zeros(2, spec.channels, spec.height, spec.width))
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"{name} cannot give features: {reason}; choose another --classifier or --size") from error
    if found.shape != (2, len(spec.classes)):
        raise UsageError(f"{name} cannot give features: its last layer is not what its outputs come from")


@lru_cache(maxsize=1)
def frozen_features(
    name: str, weights: Path | None, sha256: str, device: str, channels: int, height: int, width: int
) -> FrozenFeatures:
    """The features of a network; the last ones that were used in this process are kept.

    sha256: of the weights. Raises DataError if the file has changed meanwhile.
    """
    if weights is not None and file_sha256(weights) != sha256:
        raise DataError(f"{weights} was changed while genaug used it; run the same command again")
    with seeded(0, "frozen network"):
        return FrozenFeatures(frozen_network(name, ImageSpec(channels, height, width, ("any",), (1,)), weights), device)
