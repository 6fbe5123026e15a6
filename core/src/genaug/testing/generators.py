"""The contract of a generator as tests: subclass it, name the generator, and run pytest."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from genaug.config import GeneratorConfig, changed
from genaug.data.split import TrainSplit
from genaug.generator import AnyGenerator
from genaug.registry import GeneratorDescription, import_factory, load_registry, make_generator
from genaug.testing import describing, learning, sampling
from genaug.testing.material import tiny_split


class GeneratorContract:
    """All that a generator promises, on tiny images that are made on the spot.

        class TestMine(GeneratorContract):
            generator = "mine"

    preset and settings choose a model small enough to be trained for a few steps in seconds; sides are the height and
    width of the square case, wide those of the other.
    """

    generator: ClassVar[str]
    preset: ClassVar[str] = "small"
    settings: ClassVar[Mapping[str, Any]] = {}
    sides: ClassVar[tuple[int, int]] = (16, 16)
    wide: ClassVar[tuple[int, int]] = (16, 24)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Import the plugin's code when tests are collected: a fault in it is told once, and no test pays for it."""
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "generator"):
            import_factory(cls().description())

    def description(self) -> GeneratorDescription:
        """The generator as the registry knows it."""
        return load_registry().generators.get(self.generator)

    def split(self, channels: int, sides: tuple[int, int]) -> TrainSplit:
        """Images to try it on: of three classes, or of one where a model knows one class only."""
        split = tiny_split(channels, *sides)
        return split if self.description().conditioning == "class" else split.of_class(0)

    def config(self, split: TrainSplit) -> GeneratorConfig:
        """The settings of the tried models."""
        description = self.description()
        make = description.presets.get(self.preset, description.presets["auto"])
        return changed(make(split.spec, "cpu").model, self.settings, f"the settings of {self.generator}")

    def make(self, split: TrainSplit) -> AnyGenerator:
        """A fresh generator for these images."""
        return make_generator(self.description(), split.spec, self.config(split))

    def square(self) -> tuple[partial[AnyGenerator], TrainSplit]:
        """How to make generators for small square images, and those images."""
        split = self.split(self.description().needs.channels[-1], self.sides)
        return partial(self.make, split), split

    def test_describing_needs_no_torch(self) -> None:
        """`genaug --help` stays fast."""
        describing.check_needs_no_torch(self.description())

    def test_config_is_closed_frozen_documented_and_survives_json(self) -> None:
        """Settings can be written down and read again."""
        describing.check_config(self.description().config, self.config(self.square()[1]))

    def test_presets_give_settings(self) -> None:
        """Every preset works or says why not."""
        describing.check_presets(self.description(), self.square()[1].spec)

    def test_losses_are_finite_scalars_of_known_networks(self) -> None:
        """The loop can use them."""
        learning.check_losses(*self.square())

    def test_three_steps_move_every_parameter(self) -> None:
        """No dead weights."""
        learning.check_every_parameter_moves(*self.square())

    def test_training_has_no_chance_of_its_own(self) -> None:
        """The seed decides."""
        learning.check_chance(*self.square())

    def test_resuming_equals_never_having_stopped(self) -> None:
        """Bitwise, on the CPU."""
        learning.check_resume(*self.square())

    def test_images_have_the_right_shape_and_range_for_all_channels_and_sides(self) -> None:
        """Grey or colour, square or not."""
        for channels in self.description().needs.channels:
            for sides in (self.sides, self.wide):
                split = self.split(channels, sides)
                sampling.check_images(partial(self.make, split), split)

    def test_an_image_does_not_depend_on_its_neighbours(self) -> None:
        """Image i is a function of its label and its noise."""
        sampling.check_independence(*self.square())

    def test_sampling_leaves_global_chance_untouched(self) -> None:
        """Noise has an owner."""
        sampling.check_chance_of_sampling(*self.square())

    def test_bad_labels_are_refused(self) -> None:
        """In words."""
        sampling.check_bad_labels(*self.square())

    def test_labels_are_read(self) -> None:
        """By the losses and by the samples, where the description says so."""
        if self.description().conditioning == "class":
            make, split = self.square()
            if make().build():
                learning.check_labels_are_learnt(make, split)
            sampling.check_labels_steer(self.description(), make, split)

    def test_parents_are_rows_of_the_training_split(self) -> None:
        """What an image leans on can be looked up."""
        sampling.check_parents(*self.square())

    def test_a_saved_model_draws_the_same_bytes(self) -> None:
        """Nothing is lost on the disk."""
        sampling.check_saving(self.description(), *self.square())
