"""The minibatch layer and the initial weights of the DCGAN networks."""

import pytest
import torch
from genaug_dcgan.blocks import MinibatchDeviation, initialise_radford
from torch import nn


def test_the_deviation_is_near_zero_when_all_images_are_the_same():
    equal = MinibatchDeviation()(torch.ones(4, 2, 3, 3))
    assert equal.shape == (4, 3, 3, 3)
    assert equal[:, 2].max() < 1e-3
    assert MinibatchDeviation()(torch.randn(4, 2, 3, 3))[:, 2].min() > 0.3
    assert MinibatchDeviation()(torch.ones(1, 2, 3, 3)).isfinite().all()


def test_initial_weights_are_radfords():
    layer = nn.Conv2d(64, 64, 4)
    initialise_radford(layer)
    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
