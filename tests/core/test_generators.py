"""Core's own generators keep the contract and do what they say."""

import numpy as np
import torch
from genaug.chance import Noise
from genaug.fitting import ModelSampler, take_memory
from genaug.generators.classical import Classical
from genaug.generators.oversample import Oversample
from genaug.generators.plugin import ClassicalConfig, OversampleConfig
from genaug.images import to_uint8
from genaug.testing import GeneratorContract


class TestClassical(GeneratorContract):
    generator = "classical"


class TestOversample(GeneratorContract):
    generator = "oversample"


def test_oversampled_images_are_their_parents(split):
    generator = Oversample(split.spec, OversampleConfig())
    take_memory(generator, split, seed=0, device="cpu")
    labels = torch.tensor([0, 1, 1, 0])
    drawn = ModelSampler(generator).sample(labels, Noise.per_image(0, "t", [(i,) for i in range(4)]))
    parents = drawn.parents.flatten().numpy()
    assert split.labels[parents].tolist() == labels.tolist()
    assert np.array_equal(to_uint8(drawn.images), split.images[parents])


def test_classical_flips_only_where_its_settings_say_so(split):
    labels = torch.zeros(40, dtype=torch.int64)
    drawn = {}
    for flips in ((), ("vertical",)):
        generator = Classical(split.spec, ClassicalConfig(pipeline="light", flips=flips))
        take_memory(generator, split, seed=0, device="cpu")
        drawn[flips] = ModelSampler(generator).sample(labels, Noise.per_image(0, "t", [(i,) for i in range(40)]))
    plain, flipped = drawn.values()
    same = (plain.images == flipped.images).flatten(1).all(dim=1)
    assert torch.equal(plain.parents, flipped.parents)
    assert 8 <= int(same.sum()) <= 32
