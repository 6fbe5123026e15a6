"""Following a velocity ends where the exact solution does."""

import math

import torch
from genaug_flow.generator import integrated

START = torch.tensor([-2.0, 0.5])


def test_a_straight_line_is_followed_exactly_in_any_number_of_steps():
    target = torch.tensor([1.0, 3.0])
    for steps in (1, 2, 5):
        ends = integrated(lambda points, time: (target - points) / (1 - time), START, steps)
        assert torch.allclose(ends, target, atol=1e-5)


def test_more_steps_come_nearer_to_the_exact_solution():
    errors = [float((integrated(lambda x, _: x, START, steps) - math.e * START).abs().max()) for steps in (4, 8, 64)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-3
