"""The contract of a generator as tests."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from genaug.config import GeneratorConfig, changed
from genaug.data.split import TrainSplit
from genaug.generator import AnyGenerator
from genaug.hookspecs import GeneratorDescription
from genaug.registry import import_factory, load_registry, make_generator
from genaug.testing import describing, learning, sampling
from genaug.testing.material import tiny_split


class GeneratorContract:
    """Tests of all that a generator promises. Subclass it, set `generator`, and run pytest.

        class TestMine(GeneratorContract):
            generator = "mine"

    generator: name in its description, which must be installed.
    preset: the preset that is tested; "auto" if there is none of this name.
    settings: changes to the generator's own settings in that preset. Choose a network so small that it trains a few
        steps in seconds.
    size: height and width of the images of all tests, multiples of 8 from 16 on; None for the smallest square that the
        description allows, or its native size.
    wide_size: a second height and width for the test of image shapes; None for a wider one, if the description allows
        one. Set it to `size` for a generator whose settings in these tests fit one size only.
    """

    generator: ClassVar[str]
    preset: ClassVar[str] = "small"
    settings: ClassVar[Mapping[str, Any]] = {}
    size: ClassVar[tuple[int, int] | None] = None
    wide_size: ClassVar[tuple[int, int] | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Import the plugin's code when tests are collected, so that an error in it is reported once."""
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "generator"):
            import_factory(cls().description())

    def description(self) -> GeneratorDescription:
        """The description of the generator. Override it to test one that is not installed."""
        return load_registry().generators.get(self.generator)

    def sizes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The two sizes of the tests as (height, width): those that are set, else what the description allows."""
        needs = self.description().needs
        side = -(-needs.sizes[0] // needs.multiple) * needs.multiple
        size = self.size or needs.native or (side, side)
        wider = size[1] + needs.multiple
        fixed = needs.square or needs.native is not None or wider > needs.sizes[1]
        return size, self.wide_size or (size if fixed else (size[0], wider))

    def split(self, channels: int, size: tuple[int, int]) -> TrainSplit:
        """Training images: of three classes, or of one for a generator with one model per class."""
        split = tiny_split(channels, *size)
        return split if self.description().conditioning == "class" else split.of_class(0)

    def config(self, split: TrainSplit) -> GeneratorConfig:
        """The settings of the generators that are tested: those of `preset`, changed by `settings`."""
        description = self.description()
        make = description.presets.get(self.preset, description.presets["auto"])
        return changed(make(split.spec, "cpu").model, self.settings, f"the settings of {self.generator}")

    def make(self, split: TrainSplit) -> AnyGenerator:
        """An untrained generator for these images."""
        return make_generator(self.description(), split.spec, self.config(split))

    def square(self) -> tuple[partial[AnyGenerator], TrainSplit]:
        """A function that creates untrained generators for images of `size`, and those images."""
        split = self.split(self.description().needs.channels[-1], self.sizes()[0])
        return partial(self.make, split), split

    def test_describing_needs_no_torch(self) -> None:
        """Otherwise `genaug --help` would be slow."""
        describing.check_needs_no_torch(self.description())

    def test_config_is_closed_frozen_documented_and_survives_json(self) -> None:
        """Settings can be checked, shown, stored and read again."""
        describing.check_config(self.description().config, self.config(self.square()[1]))

    def test_presets_give_settings(self) -> None:
        """Every preset returns settings, or says why it cannot for these images."""
        describing.check_presets(self.description(), self.square()[1].spec)

    def test_losses_are_finite_scalars_of_known_networks(self) -> None:
        """The training loop can use them."""
        learning.check_losses(*self.square())

    def test_three_steps_move_every_parameter(self) -> None:
        """No network has a parameter that is never trained."""
        learning.check_every_parameter_moves(*self.square())

    def test_networks_that_are_not_saved_stay_as_they_are_built(self) -> None:
        """Frozen networks, and what adapted ones do not train, must be the same in training and in a loaded model."""
        learning.check_fixed_networks(*self.square())

    def test_training_works_in_mixed_precision(self) -> None:
        """A run trains in bf16 where the hardware has it, unless the description leaves it out."""
        if "bf16" in self.description().needs.precisions:
            learning.check_mixed_precision(*self.square())

    def test_training_has_no_chance_of_its_own(self) -> None:
        """Only the seed decides the weights."""
        learning.check_chance(*self.square())

    def test_resuming_equals_never_having_stopped(self) -> None:
        """The weights are equal bit for bit, on the CPU."""
        learning.check_resume(*self.square())

    def test_images_have_the_right_shape_and_range_for_all_channels_and_sizes(self) -> None:
        """Grey or colour, square or not, as far as the description says that it works."""
        for channels in self.description().needs.channels:
            for size in self.sizes():
                split = self.split(channels, size)
                sampling.check_images(partial(self.make, split), split)

    def test_an_image_does_not_depend_on_its_neighbours(self) -> None:
        """An image is a function of its label and its noise."""
        sampling.check_independence(*self.square())

    def test_sampling_leaves_global_chance_untouched(self) -> None:
        """All random numbers of sampling come from the noise that it is given."""
        sampling.check_chance_of_sampling(*self.square())

    def test_remember_has_no_chance_of_its_own(self) -> None:
        """The memory of a trained model is a function of its weights, its training images and `known.noise`."""
        sampling.check_remember(*self.square())

    def test_bad_labels_are_refused(self) -> None:
        """With an error message that names the allowed labels."""
        sampling.check_bad_labels(*self.square())

    def test_labels_are_read(self) -> None:
        """A generator with conditioning "class" uses the labels in its losses and in its images."""
        if self.description().conditioning == "class":
            make, split = self.square()
            if make().build():
                learning.check_labels_are_learnt(make, split)
            sampling.check_labels_steer(self.description(), make, split)

    def test_parents_are_rows_of_the_training_split(self) -> None:
        """Every recorded parent is a training image."""
        sampling.check_parents(*self.square())

    def test_a_saved_model_draws_the_same_bytes(self) -> None:
        """All state of a trained model is in its networks and its memory."""
        sampling.check_saving(self.description(), *self.square())
