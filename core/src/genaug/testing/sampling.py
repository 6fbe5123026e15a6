"""Checks of sampling: shape and range, independence of neighbours, labels, parents, saving."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from genaug.chance import Noise, chance_states, same_states
from genaug.config import TrainConfig
from genaug.data.split import TrainSplit
from genaug.errors import UsageError
from genaug.fitting import ModelSampler, draw_chunk, load_model, save_model, take_memory
from genaug.generator import AnyGenerator, Drawn
from genaug.registry import GeneratorDescription
from genaug.testing.learning import STEPS
from genaug.training import Trained, train

Make = Callable[[], AnyGenerator]
_TOLERANCE = 2e-3  # of a range of 2: a quarter of one of the 256 levels


def trained(make: Make, split: TrainSplit) -> tuple[AnyGenerator, Trained]:
    """A generator after a few steps, with its memory."""
    generator = make()
    config = TrainConfig(steps=STEPS, batch_size=min(8, len(split)), balanced=True, average_decay=0.9)
    result = train(generator, split, config, seed=0)
    take_memory(generator, split, seed=0, device="cpu")
    return generator, result


def check_images(make: Make, split: TrainSplit) -> None:
    """Float images [N, C, H, W], finite, in [-1, 1]."""
    drawn = _drawn(ModelSampler(trained(make, split)[0]), _labels(split))
    wanted = (len(_labels(split)), split.spec.channels, split.spec.height, split.spec.width)
    assert drawn.images.shape == wanted, f"expected images {list(wanted)}, got {list(drawn.images.shape)}"
    assert bool(drawn.images.isfinite().all()), "images must be finite"
    low, high = drawn.images.min().item(), drawn.images.max().item()
    assert -1.001 <= low <= high <= 1.001, f"images must lie in [-1, 1], got [{low:.3f}, {high:.3f}]"


def check_independence(make: Make, split: TrainSplit) -> None:
    """An image does not change with its batch, and is the same bytes in its canonical chunk."""
    sampler, labels = ModelSampler(trained(make, split)[0]), _labels(split)
    together = _drawn(sampler, labels).images
    noises = _noise(labels)
    alone = [sampler.sample(labels[row : row + 1], noises.rows([row])).images for row in range(len(labels))]
    far = (together - torch.cat(alone)).abs().max().item()
    assert far <= _TOLERANCE, (
        f"an image changed by {far:.4f} with its neighbours; use eval mode and one stream per image"
    )
    first = draw_chunk(sampler, 0, 1, seed=0, name="kit")[0]
    draw_chunk(sampler, 0, 0, seed=0, name="kit")
    again = draw_chunk(sampler, 0, 1, seed=0, name="kit")[0]
    assert np.array_equal(first, again), "the same chunk drawn twice gave other bytes; sampling must keep no state"


def check_chance_of_sampling(make: Make, split: TrainSplit) -> None:
    """Sampling uses the noise that it is given, all of it per image, and nothing else."""
    sampler, labels = ModelSampler(trained(make, split)[0]), _labels(split)
    before = chance_states()
    _drawn(sampler, labels)
    assert same_states(before, chance_states()), "sampling changed the global chance of torch, numpy or random"


def check_bad_labels(make: Make, split: TrainSplit) -> None:
    """A label outside [0, K) is refused in words."""
    sampler, count = ModelSampler(trained(make, split)[0]), len(split.spec.classes)
    for label in (-1, count):
        refusal = _refusal(sampler, label)
        assert refusal is not None, f"label {label} of {count} classes was not refused"
        assert f"labels must lie in [0, {count}), got [{label}]" in refusal, f"unclear refusal: {refusal}"


def _refusal(sampler: ModelSampler, label: int) -> str | None:
    try:
        sampler.sample(torch.tensor([label]), Noise.per_image(0, "bad", [(0,)]))
    except UsageError as error:
        return str(error)
    return None


def check_labels_steer(description: GeneratorDescription, make: Make, split: TrainSplit) -> None:
    """With conditioning, the same noise under another label gives another image."""
    if description.conditioning != "class":
        return
    sampler = ModelSampler(trained(make, split)[0])
    noise = [Noise.per_image(0, "steer", [(0,)]) for _ in range(2)]
    one, two = (sampler.sample(torch.tensor([label]), noise[label]).images for label in (0, 1))
    assert not torch.equal(one, two), "conditioning is 'class', but another label gives the same image"


def check_parents(make: Make, split: TrainSplit) -> None:
    """Parents are row ids of the training split, or -1."""
    drawn = _drawn(ModelSampler(trained(make, split)[0]), _labels(split))
    known = {-1, *split.rows.tolist()}
    strange = sorted(set(drawn.parents.flatten().tolist()) - known)
    assert not strange, f"parents must be row ids of the training split or -1, got {strange[:5]}"


def check_saving(description: GeneratorDescription, make: Make, split: TrainSplit) -> None:
    """A model from the disk draws the bytes that it drew before."""
    generator, result = trained(make, split)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        facts = {"generator": description.name, "label": None, "model": generator.config.model_dump(mode="json")}
        save_model(path, generator, result, facts)
        again = load_model(path, description)
    before = draw_chunk(ModelSampler(generator), 0, 0, seed=0, name="kit")[0]
    after = draw_chunk(again, 0, 0, seed=0, name="kit")[0]
    assert np.array_equal(before, after), (
        "a saved and loaded model draws other bytes; keep all state in networks or memory"
    )


def _labels(split: TrainSplit) -> torch.Tensor:
    return torch.arange(len(split.spec.classes)).repeat(2)


def _noise(labels: torch.Tensor) -> Noise:
    return Noise.per_image(0, "kit", [(index,) for index in range(len(labels))])


def _drawn(sampler: ModelSampler, labels: torch.Tensor) -> Drawn:
    return sampler.sample(labels, _noise(labels))
