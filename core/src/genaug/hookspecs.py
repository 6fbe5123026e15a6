"""What a plugin declares: a description of each generator, metric and selector, and the hooks that return them.

A plugin is an installed package with an entry point in the group `genaug`:

    [project.entry-points.genaug]
    mine = "genaug_mine.plugin"

The module that it names implements one hook or more. genaug calls a hook without arguments and reads the descriptions:

    from genaug.hookspecs import GeneratorDescription, hookimpl

    @hookimpl
    def genaug_generators():
        return [GeneratorDescription(name="mine", ..., factory="genaug_mine.generator:Mine", api=1)]

A description says everything but the code. The code is imported from `factory` when it is first used. A module with
descriptions must not import torch, because `genaug --help` and `genaug plugins` read all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pluggy

from genaug.config import GeneratorConfig, MetricConfig, Preset, SelectorConfig
from genaug.spec import ImageSpec

__all__ = [
    "API_VERSION",
    "GeneratorDescription",
    "Hooks",
    "MetricDescription",
    "Needs",
    "SelectorDescription",
    "hookimpl",
]

API_VERSION = 1
"""Version of these descriptions and of the classes in genaug.generator, genaug.metric and genaug.selector.

A plugin writes the number itself: with this constant it would claim to fit whatever version is installed.
"""

hookspec = pluggy.HookspecMarker("genaug")
hookimpl = pluggy.HookimplMarker("genaug")
"""Decorator that marks a function of a plugin as the implementation of the hook of the same name."""


@dataclass(frozen=True)
class Needs:
    """What the training images must have; a run with other images is refused before any training.

    least_images: smallest number of training images in each class.
    channels: numbers of channels that the generator can model: 1 is grey, 3 is colour.
    sizes: smallest and largest height and width, at most 1024. multiple: of what height and width must be multiples;
        a multiple of 8. square: whether height and width must be equal.
    native: the only height and width at which the networks work. genaug resizes training images to it, and generated
        images from it, so that users may choose any size; the generator sees its native size in its `spec` and
        everywhere else. The three fields above are then not used.
    precisions: precisions in which its losses work: "no" (single), which is required, and the mixed ones, "bf16" and
        "fp16". genaug chooses among them; images are always drawn in single precision.
    """

    least_images: int = 1
    channels: tuple[int, ...] = (1, 3)
    sizes: tuple[int, int] = (16, 256)
    multiple: int = 8
    square: bool = False
    native: tuple[int, int] | None = None
    precisions: tuple[str, ...] = ("no", "bf16", "fp16")


PRECISIONS = Needs.precisions


@dataclass(frozen=True)
class GeneratorDescription:
    """A generator.

    name: what users write after `-g`. If two plugins use one name, it is refused until one of them is uninstalled.
    summary: one line that says what it is, for `genaug plugins`.
    rank: order in lists, lowest first. The installed generator with the lowest rank is used without `-g`.
    config: class of its own settings, a subclass of genaug.config.GeneratorConfig; users set them with `--set`.
    presets: complete settings by name. Each is a function (spec, device) -> Preset, where device is "cpu", "cuda" or
        "mps". "auto" is required and is the default; "small" (trains in about a minute) and "paper" are customary.
    factory: "package.module:Class" of the genaug.generator.Generator, which is created as Class(spec, config).
    conditioning: "class" for one model of all classes, which reads the labels; "none" for one model of each class.
    needs: what the training images must have.
    from_originals: whether each of its images is a variant or copy of one real image, as those of `classical` are. Then
        no selector judges them, and core makes each again from the file of that image, at its own size, by the
        method `from_original` of the generator, which must be a genaug.generator.VariantGenerator.
    paper: publication that it follows, such as "Ho et al. 2020 (arXiv 2006.11239)"; empty for none.
    api: the API_VERSION for which the plugin was written, as a number; genaug refuses a plugin of another version.
    """

    name: str
    summary: str
    rank: int
    config: type[GeneratorConfig]
    presets: Mapping[str, Callable[[ImageSpec, str], Preset]]
    factory: str
    conditioning: Literal["none", "class"]
    needs: Needs = Needs()
    from_originals: bool = False
    paper: str = ""
    api: int = field(kw_only=True)


@dataclass(frozen=True)
class MetricDescription:
    """A metric.

    name: what users write after `--metrics`; it must be the only metric of this name.
    summary: one line that says what it measures, for `genaug plugins`.
    config: class of its settings, a subclass of genaug.config.MetricConfig.
    factory: "package.module:Class" of the genaug.metric.Metric, which is created as Class(config).
    least_images: smallest number of real and of synthetic images for a reliable value; with fewer, a warning is shown.
    paper: publication that defines it; empty for none.
    api: the API_VERSION for which the plugin was written, as a number; genaug refuses a plugin of another version.
    """

    name: str
    summary: str
    config: type[MetricConfig]
    factory: str
    least_images: int = 2
    paper: str = ""
    api: int = field(kw_only=True)


@dataclass(frozen=True)
class SelectorDescription:
    """A selector.

    name: what users write after `--select`; it must be the only selector of this name.
    summary: one line that says which images it keeps, for `genaug plugins`.
    config: class of its settings, a subclass of genaug.config.SelectorConfig.
    factory: "package.module:Class" of the genaug.selector.Selector, which is created as Class(config).
    paper: publication that it follows; empty for none.
    api: the API_VERSION for which the plugin was written, as a number; genaug refuses a plugin of another version.
    """

    name: str
    summary: str
    config: type[SelectorConfig]
    factory: str
    paper: str = ""
    api: int = field(kw_only=True)


class Hooks:
    """The hooks. A plugin implements those it needs, each as a function without arguments in its module."""

    @hookspec
    def genaug_generators(self) -> Sequence[GeneratorDescription]:
        """Descriptions of this plugin's generators."""
        return ()

    @hookspec
    def genaug_metrics(self) -> Sequence[MetricDescription]:
        """Descriptions of this plugin's metrics."""
        return ()

    @hookspec
    def genaug_selectors(self) -> Sequence[SelectorDescription]:
        """Descriptions of this plugin's selectors."""
        return ()
