"""Networks with fixed weights that turn images into features."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from genaug.errors import DataError, UsageError
from genaug.features.weights import DINOV2, INCEPTION, Weights, find_weights, load_state
from genaug.images import to_float

LAYERS = (64, 192, 768, 2048)
_CHUNK = 32
_DINO_SIDE = 224
_DINO_MODEL = "vit_small_patch14_dinov2.lvd142m"
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class ExtractedFeatures:
    """Features float32 [N, D], and class probabilities float32 [N, K], or None if the network has no classes."""

    features: Tensor
    probabilities: Tensor | None


class Extractor:
    """Turns images uint8 [N, H, W, C] into ExtractedFeatures.

    name: the network's name; it ends in the start of a hash if the weights are not the known ones.
    view: the function for a chunk of images, which returns features and probabilities or None.
    layer: appended to the name of the features if they are not those of the last layer.
    """

    def __init__(
        self, name: str, view: Callable[[NDArray[np.uint8]], tuple[Tensor, Tensor | None]], layer: str = ""
    ) -> None:
        self.name = name
        self.features_name = name + layer
        self._view = view

    @torch.no_grad()
    def views(self, images: NDArray[np.uint8]) -> ExtractedFeatures:
        """The features of all images, computed in chunks."""
        parts = [self._view(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
        features = torch.cat([part for part, _ in parts])
        probabilities = [part for _, part in parts if part is not None]
        return ExtractedFeatures(features, torch.cat(probabilities) if probabilities else None)


def make_extractor(
    kind: str, *, weights: Path | None = None, allow_download: bool = False, layer: int = 2048
) -> Extractor:
    """The extractor of a kind: pixels, inception or dinov2.

    weights: file of the network's weights. layer: size of the feature layer of inception, one of LAYERS.
    Raises DataError for missing or wrong weights, UsageError for an unknown layer.
    """
    if kind == "pixels":
        return Extractor("pixels", lambda images: (to_float(images).flatten(1), None))
    if kind == "inception":
        return _inception(find_weights(INCEPTION, weights, allow_download=allow_download), layer)
    return _dinov2(find_weights(DINOV2, weights))


def _inception(weights: Weights, layer: int) -> Extractor:
    """Inception v3 of the FID authors, as torch-fidelity and torchmetrics use it. Its weights are read safely."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    if layer not in LAYERS:
        raise UsageError(f"layer of inception: expected one of {', '.join(map(str, LAYERS))}, got {layer}")
    copy = io.BytesIO()
    torch.save(load_state(weights), copy)  # torch-fidelity unpickles any file, so it gets a copy that was read safely
    copy.seek(0)
    try:
        network = FeatureExtractorInceptionV3("genaug", [str(layer), "logits_unbiased"], copy)
    except RuntimeError as error:
        raise _wrong(weights, error) from error

    def view(images: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        colour = torch.from_numpy(np.broadcast_to(images, (*images.shape[:3], 3)).copy()).permute(0, 3, 1, 2)
        features, logits = network(colour)
        return features, logits.softmax(dim=1)

    return Extractor(weights.name, view, "" if layer == LAYERS[-1] else f"-{layer}")


def _dinov2(weights: Weights) -> Extractor:
    """DINOv2's small vision transformer (Oquab et al. 2023, arXiv 2304.07193) from timm."""
    try:
        import timm
    except ImportError as error:
        raise UsageError(
            'features dinov2 need timm; install the extra dinov2, in a clone of genaug: pip install "./core[dinov2]"'
        ) from error

    network: nn.Module = timm.create_model(_DINO_MODEL, pretrained=False, num_classes=0, img_size=_DINO_SIDE)
    try:
        network.load_state_dict(load_state(weights))
    except RuntimeError as error:
        raise _wrong(weights, error) from error
    network.eval()
    mean, spread = (torch.tensor(values)[:, None, None] for values in _IMAGENET)

    def view(images: NDArray[np.uint8]) -> tuple[Tensor, None]:
        unit = (to_float(images) + 1) / 2
        size = (_DINO_SIDE, _DINO_SIDE)
        large = F.interpolate(unit.expand(-1, 3, -1, -1), size=size, mode="bicubic", antialias=True)
        return network((large - mean) / spread), None

    return Extractor(weights.name, view)


def _wrong(weights: Weights, error: Exception) -> DataError:
    return DataError(f"{weights.path} holds weights of another network: {str(error).splitlines()[0]}")
