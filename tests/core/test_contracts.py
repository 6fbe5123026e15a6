"""Errors, image specs, settings, random streams and pixel conversion."""

import random

import numpy as np
import pytest
import torch
from genaug import errors
from genaug.chance import Noise, chance_states, derive, permutation, same_states, seeded, stream
from genaug.config import AugmentationConfig, GeneratorConfig, TrainConfig, changed, option, parse, read_file
from genaug.errors import DataError, UsageError
from genaug.images import to_float, to_uint8
from genaug.overrides import assign, read_assignments
from genaug.run.config import RunConfig
from genaug.spec import ImageSpec
from genaug.targets.plan import MixConfig
from pydantic import ValidationError


class Mine(GeneratorConfig):
    width: int = option(8, "Channels.", ge=1, le=64)
    precision: float = option(0.5, "Shares its name with one of the loop's settings.", ge=0, le=1)


def test_every_error_is_a_genaug_error_with_a_code_of_its_own():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    codes = [kind.exit_code for kind in kinds]
    assert all(issubclass(kind, errors.GenaugError) for kind in kinds)
    assert sorted(codes) == [1, 2, 3, 4, 5, 6]


def test_an_unknown_name_is_answered_with_the_nearest_known_one():
    assert str(errors.unknown("generator", "gann", ["gan", "vae"])) == (
        "unknown generator 'gann' (did you mean 'gan'?); known: gan, vae"
    )
    assert str(errors.unknown("generator", "x", [])) == "unknown generator 'x'; known: none"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ((2, 16, 16, ("a",), (1,)), DataError),
        ((3, 20, 16, ("a",), (1,)), UsageError),
        ((3, 8, 16, ("a",), (1,)), UsageError),
        ((3, 16, 1032, ("a",), (1,)), UsageError),
        ((3, 16, 16, (), ()), DataError),
        ((3, 16, 16, ("a", "b"), (1,)), DataError),
    ],
)
def test_a_spec_refuses_values_that_no_model_supports(values, error):
    with pytest.raises(error):
        ImageSpec(*values)


def test_a_spec_of_one_class_keeps_its_name_and_count():
    assert ImageSpec(3, 16, 24, ("a", "b"), (4, 2)).only(1) == ImageSpec(3, 16, 24, ("b",), (2,))


@pytest.mark.parametrize("kind", [TrainConfig, MixConfig, RunConfig, AugmentationConfig, Mine])
def test_settings_are_closed_frozen_and_survive_json(kind):
    settings = kind(**({"steps": 3} if kind is TrainConfig else {}))
    assert kind.model_validate_json(settings.model_dump_json()) == settings
    with pytest.raises(ValidationError):
        kind.model_validate({**settings.model_dump(), "no_such_key": 1})
    for name in kind.model_fields:
        with pytest.raises(ValidationError):
            setattr(settings, name, None)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (Mine, {"widht": 3}, "did you mean 'width'"),
        (Mine, {"width": 0}, "settings: width: input should be greater than or equal to 1, got 0"),
        (Mine, {"precision": float("nan")}, "precision"),
        (TrainConfig, {}, "either steps or epochs"),
        (TrainConfig, {"steps": 1, "epochs": 1}, "either steps or epochs"),
        (MixConfig, {"per_class": 1, "balance": "max"}, "one of per_class, balance, targets"),
        (RunConfig, {"size": (20, 20)}, "multiples of 8"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(kind, values, words):
    with pytest.raises(UsageError) as refused:
        parse(kind, values, "settings")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_steps_and_epochs_replace_each_other():
    train = changed(TrainConfig(steps=10), {"epochs": 4}, "train")
    assert (train.steps, train.epochs) == (None, 4)
    assert changed(train, {"steps": 7}, "train").epochs is None


def test_assignments_become_plain_values():
    texts = ["a=1", "b=1e-4", "c=true", "d=[x, 2]", "e=none of it", "f=a=b", "g=null"]
    expected = {"a": 1, "b": 1e-4, "c": True, "d": ["x", 2], "e": "none of it", "f": "a=b", "g": None}
    assert read_assignments(texts) == expected
    with pytest.raises(UsageError, match="expected key=value, got 'width'"):
        read_assignments(["width"])


def test_a_key_finds_its_section():
    found = assign(Mine, {"width": 3, "steps": 9, "augmentation.enlargement": 2})
    assert found == {"model": {"width": 3}, "train": {"steps": 9}, "augmentation": {"enlargement": 2}}
    with pytest.raises(UsageError, match=r"write model\.precision or train\.precision"):
        assign(Mine, {"precision": 1})
    with pytest.raises(UsageError, match=r"did you mean 'train\.steps'"):
        assign(Mine, {"train.stpes": 1})


@pytest.mark.parametrize(("text", "words"), [("a: [", "cannot be read"), ("- 1", "keys and values"), ("1: 2", "keys")])
def test_an_invalid_config_file_is_refused(tmp_path, text, words):
    path = tmp_path / "run.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words):
        read_file(path)


def test_a_seed_depends_on_every_part_of_its_purpose():
    seeds = {derive(0), derive(1), derive(0, "a"), derive(0, "a", 1), derive(0, "a", "1"), derive(0, "a1")}
    assert len(seeds) == 6
    assert derive(7, "a", 2) == derive(7, "a", 2)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_an_images_noise_does_not_depend_on_its_neighbours():
    together = Noise.per_image(3, "x", [(0,), (1,), (2,)]).normal(4)
    assert torch.equal(Noise.per_image(3, "x", [(1,)]).normal(4)[0], together[1])
    assert torch.equal(Noise.per_image(3, "x", [(0,), (1,), (2,)]).rows([2, 0]).normal(4), together[[2, 0]])


def library() -> list[float]:
    """Random numbers of the global generators, as a library draws them that takes none."""
    return [torch.rand(()).item(), float(np.random.rand()), random.random()]


def seeded_each(noise: Noise) -> list[list[float]]:
    found = []
    for one in noise.each():
        with one.seeding():
            found.append(library())
    return found


def test_a_librarys_random_numbers_are_a_function_of_the_noise_of_one_image():
    before = chance_states()
    together = seeded_each(Noise.per_image(3, "x", [(0,), (1,), (2,)]))
    assert seeded_each(Noise.per_image(3, "x", [(1,)])) == together[1:2]
    assert len({number for row in together for number in row}) == 9
    assert same_states(before, chance_states())


def test_each_block_of_seeding_has_other_random_numbers():
    noise = Noise.per_batch(0, "x", 0, 5)
    found = []
    for _ in range(2):
        with noise.seeding():
            found.append(library())
    assert len({*found[0], *found[1]}) == 6


def test_seeding_restores_global_chance_after_an_error():
    before = chance_states()
    with pytest.raises(ZeroDivisionError), Noise.per_batch(0, "x", 0, 5).seeding():
        1 / (library()[0] * 0)
    assert same_states(before, chance_states())


def test_one_global_generator_cannot_serve_several_images():
    with (
        pytest.raises(ValueError, match=r"this noise has 3; use each\(\)"),
        Noise.per_image(0, "x", [(0,), (1,), (2,)]).seeding(),
    ):
        pass
    with pytest.raises(ValueError, match="one stream per image"):
        list(Noise.per_batch(0, "x", 0, 2).each())


def test_noise_has_the_documented_shape_and_range():
    noise = Noise.per_batch(0, "x", 0, 500)
    assert noise.normal(3).std().item() == pytest.approx(1, abs=0.1)
    uniform = noise.uniform(2)
    assert uniform.shape == (500, 2)
    assert 0 <= uniform.min().item() < 0.05
    assert 0.95 < uniform.max().item() < 1
    assert set(noise.integers(3).tolist()) == {0, 1, 2}
    with pytest.raises(ValueError, match="one stream per image"):
        _ = noise.generators


def test_seeding_leaves_global_chance_as_it_was():
    before = chance_states()
    with seeded(1, "x"):
        first = torch.rand(3)
    with seeded(1, "x"):
        assert torch.equal(torch.rand(3), first)
    assert same_states(before, chance_states())
    torch.rand(1)
    assert not same_states(before, chance_states())


def test_a_permutation_holds_every_number_once():
    assert sorted(permutation(50, 0, "x").tolist()) == list(range(50))
    assert permutation(50, 0, "x").tolist() != permutation(50, 0, "y").tolist()
    assert stream(1, "a").initial_seed() == derive(1, "a")


def test_pixels_are_equal_after_conversion_to_tensors_and_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    tensor = to_float(pixels)
    assert tensor.shape == (1, 1, 16, 16)
    assert (tensor.min().item(), tensor.max().item()) == (-1.0, 1.0)
    assert np.array_equal(to_uint8(tensor), pixels)
    assert to_uint8(torch.tensor([[[[-9.0, 9.0]]]])).ravel().tolist() == [0, 255]
