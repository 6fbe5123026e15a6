"""Samplers: a trained generator with checks, and several models of one class each behind the same method."""

from collections.abc import Mapping

import torch
from torch import Tensor

from genaug.chance import Noise
from genaug.errors import PluginError, UsageError
from genaug.fitting.sizes import brought_to
from genaug.generator import AnyGenerator, Drawn, Sampler
from genaug.spec import ImageSpec

_ROUNDING = 1e-3


class ModelSampler:
    """A trained generator as a Sampler: checks labels and results, disables gradients, returns images on the CPU.

    spec: that of the images to return, where the generator's own has its native size.
    """

    def __init__(self, generator: AnyGenerator, device: str = "cpu", spec: ImageSpec | None = None) -> None:
        self.spec = spec or generator.spec
        self._generator = generator
        self._device = torch.device(device)
        generator.networks = {name: net.to(self._device).eval() for name, net in generator.networks.items()}
        generator.memory = {name: tensor.to(self._device) for name, tensor in generator.memory.items()}

    @torch.no_grad()
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images float32 [N, C, H, W] in [-1, 1] on the CPU.

        Raises UsageError for a label outside [0, K), PluginError if the generator returns something else than images.
        """
        _check_labels(labels, len(self.spec.classes))
        there = Noise([*noise.streams], len(noise), self._device)
        drawn = self._generator.sample(labels.to(self._device), there)
        return self._checked(drawn, len(labels))

    def _checked(self, drawn: Drawn, count: int) -> Drawn:
        if not drawn.images.is_floating_point():
            raise PluginError(f"{type(self._generator).__name__}.sample must return floats, got {drawn.images.dtype}")
        images = drawn.images.to("cpu", torch.float32)
        own = self._generator.spec
        expected = (count, own.channels, own.height, own.width)
        name = type(self._generator).__name__
        if images.shape != expected:
            raise PluginError(f"{name}.sample must return images {list(expected)}, got {list(images.shape)}")
        if not bool(images.isfinite().all()):
            raise PluginError(f"{name}.sample returned values that are not finite")
        if bool((images.abs() > 1 + _ROUNDING).any()):
            raise PluginError(
                f"{name}.sample must return values in [-1, 1], got {images.min():.3g} to {images.max():.3g}"
            )
        if drawn.parents.is_floating_point() or drawn.parents.is_complex() or bool((drawn.parents < -1).any()):
            raise PluginError(f"{name}.sample must return row ids as parents, or -1 for none")
        if drawn.parents.ndim != 2 or len(drawn.parents) != count:
            raise PluginError(f"{name}.sample must return parents [{count}, k], got {list(drawn.parents.shape)}")
        return Drawn(brought_to(images, self.spec), drawn.parents.to("cpu", torch.int64))


class PerClass:
    """One model per class as one Sampler: each image is drawn by the model of its class.

    samplers: by label. A sampler knows only its class, as label 0, or all classes of `spec`.
    """

    def __init__(self, spec: ImageSpec, samplers: Mapping[int, Sampler]) -> None:
        self.spec = spec
        self._samplers = dict(samplers)

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of the requested classes, each drawn with its own noise stream by the model of its class."""
        _check_labels(labels, len(self.spec.classes))
        parts: list[tuple[list[int], Drawn]] = []
        for label in sorted(set(labels.tolist())):
            rows = (labels == label).nonzero().flatten().tolist()
            model = self._of_class(label)
            known = label if model.spec.classes == self.spec.classes else 0
            own = torch.full((len(rows),), known, dtype=torch.int64)
            parts.append((rows, model.sample(own, noise.rows(rows))))
        return _gathered(parts)

    def _of_class(self, label: int) -> Sampler:
        if label not in self._samplers:
            raise UsageError(f"class {self.spec.classes[label]!r} has no model; its training failed or was left out")
        return self._samplers[label]


def _gathered(parts: list[tuple[list[int], Drawn]]) -> Drawn:
    """Join the parts in the order of their rows; parents of models with fewer parents per image are padded with -1."""
    order = torch.tensor([row for rows, _ in parts for row in rows]).argsort()
    width = max(drawn.parents.shape[1] for _, drawn in parts)
    padded = [
        torch.nn.functional.pad(drawn.parents, (0, width - drawn.parents.shape[1]), value=-1) for _, drawn in parts
    ]
    return Drawn(torch.cat([drawn.images for _, drawn in parts])[order], torch.cat(padded)[order])


def _check_labels(labels: Tensor, classes: int) -> None:
    bad = labels[(labels < 0) | (labels >= classes)]
    if len(bad):
        raise UsageError(f"labels must lie in [0, {classes}), got {bad.tolist()}")
