"""Checks of sampling: shape and range, independence of the rest of the batch, labels, parents, saving."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from genaug.chance import Noise, chance_states, moved_chance, same_states
from genaug.config import TrainConfig
from genaug.data.split import TrainSplit
from genaug.errors import UsageError
from genaug.fitting import ModelSampler, draw_chunk, load_model, save_model, take_memory
from genaug.generator import AnyGenerator, Drawn
from genaug.hookspecs import GeneratorDescription
from genaug.testing.learning import STEPS
from genaug.training import Trained, train
from genaug.version import __version__

Make = Callable[[], AnyGenerator]
_TOLERANCE = 2e-3  # of a range of 2: a quarter of one of the 256 levels


def trained(make: Make, split: TrainSplit) -> tuple[AnyGenerator, Trained]:
    """A generator after a few training steps, with its memory."""
    generator = make()
    config = TrainConfig(steps=STEPS, batch_size=min(8, len(split)), balanced=True, average_decay=0.9)
    result = train(generator, split, config, seed=0)
    take_memory(generator, split, seed=0, device="cpu")
    return generator, result


def check_images(make: Make, split: TrainSplit) -> None:
    """Images are float [N, C, H, W], finite, in [-1, 1]; the sampler refuses anything else."""
    drawn = _drawn(ModelSampler(trained(make, split)[0]), _labels(split))
    expected = (len(_labels(split)), split.spec.channels, split.spec.height, split.spec.width)
    assert drawn.images.shape == expected, f"expected images {list(expected)}, got {list(drawn.images.shape)}"


def check_independence(make: Make, split: TrainSplit) -> None:
    """An image does not change with the rest of its batch, and a chunk of images is the same each time it is drawn."""
    sampler, labels = ModelSampler(trained(make, split)[0]), _labels(split)
    together = _drawn(sampler, labels).images
    noises = _noise(labels)
    alone = [sampler.sample(labels[row : row + 1], noises.rows([row])).images for row in range(len(labels))]
    difference = (together - torch.cat(alone)).abs().max().item()
    assert difference <= _TOLERANCE, (
        f"an image changed by {difference:.4f} with its neighbours in the batch; use eval mode and one stream per image"
    )
    first = draw_chunk(sampler, 0, 1, seed=0, name="kit")[0]
    draw_chunk(sampler, 0, 0, seed=0, name="kit")
    again = draw_chunk(sampler, 0, 1, seed=0, name="kit")[0]
    assert np.array_equal(first, again), "the same chunk drawn twice gave other bytes; sampling must keep no state"


def check_chance_of_sampling(make: Make, split: TrainSplit) -> None:
    """Sampling does not change a global random generator."""
    sampler, labels = ModelSampler(trained(make, split)[0]), _labels(split)
    before = chance_states()
    _drawn(sampler, labels)
    assert same_states(before, chance_states()), (
        "sampling changed a global random generator of torch, numpy or random; use noise"
    )


def check_remember(make: Make, split: TrainSplit) -> None:
    """`remember` returns the same tensors each time, whatever the global random generators are, and leaves those."""
    generator = trained(make, split)[0]
    memories = []
    for start in (1, 2):
        with moved_chance(start):
            before = chance_states()
            take_memory(generator, split, seed=0, device="cpu")
            still = same_states(before, chance_states())
        assert still, "remember changed a global random generator of torch, numpy or random; use known.noise"
        memories.append(generator.memory)
    others = [name for name, value in memories[0].items() if not torch.equal(value, memories[1].get(name, value + 1))]
    assert not others, f"remember returned another {others[0]!r} the second time; use known.noise, and keep no state"


def check_bad_labels(make: Make, split: TrainSplit) -> None:
    """A label outside [0, K) is refused, with a message that names the allowed labels."""
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
    """With conditioning "class", another label changes the image that is drawn from the same noise."""
    if description.conditioning != "class":
        return
    sampler = ModelSampler(trained(make, split)[0])
    noise = [Noise.per_image(0, "steer", [(0,)]) for _ in range(2)]
    one, two = (sampler.sample(torch.tensor([label]), noise[label]).images for label in (0, 1))
    assert not torch.equal(one, two), "conditioning is 'class', but another label gives the same image"


def check_parents(make: Make, split: TrainSplit) -> None:
    """Parents are row ids of the training split, or -1."""
    drawn = _drawn(ModelSampler(trained(make, split)[0]), _labels(split))
    allowed = {-1, *split.rows.tolist()}
    others = sorted(set(drawn.parents.flatten().tolist()) - allowed)
    assert not others, f"parents must be row ids of the training split or -1, got {others[:5]}"


def check_saving(description: GeneratorDescription, make: Make, split: TrainSplit) -> None:
    """A model that is saved and loaded draws the same images, bit for bit."""
    generator, result = trained(make, split)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        facts = {
            "key": "kit",
            "generator": description.name,
            "plugin": "kit",
            "core": __version__,
            "seed": 0,
            "device": "cpu",
            "threads": torch.get_num_threads(),
            "label": None,
            "model": generator.config.model_dump(mode="json"),
        }
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
