"""The discrepancy is zero for equal sets, grows with their distance, and compares images class by class."""

import torch
from genaug_gmmn.generator import squared_mmd

LABELS = torch.tensor([0, 0, 1, 1])
IMAGES = torch.linspace(-1, 1, 4 * 3 * 8 * 8).reshape(4, 3, 8, 8)


def test_equal_sets_have_no_discrepancy():
    assert abs(squared_mmd(IMAGES, IMAGES.clone(), LABELS).item()) < 1e-6


def test_order_inside_a_class_does_not_matter():
    assert abs(squared_mmd(IMAGES, IMAGES[[1, 0, 3, 2]], LABELS).item()) < 1e-6


def test_images_of_the_wrong_class_have_a_discrepancy():
    assert squared_mmd(IMAGES, IMAGES[[2, 3, 0, 1]], LABELS).item() > 0.1


def test_it_grows_with_the_distance():
    near, far = (squared_mmd(IMAGES, IMAGES + shift, LABELS).item() for shift in (0.05, 0.5))
    assert 0 < near < far
