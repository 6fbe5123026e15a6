"""Conformance tests for plugins: subclass a contract, name your generator, metric or selector, and run pytest.

    from genaug.testing import GeneratorContract

    class TestMine(GeneratorContract):
        generator = "mine"

The plugin must be installed, so that genaug finds it by that name. The tests use tiny images that they generate, and
take seconds. `PixelTools` and `tiny_split` are the tools and the training images of the kits, for tests of your own.
"""

from genaug.testing.generators import GeneratorContract
from genaug.testing.material import tiny_split
from genaug.testing.metrics import MetricContract
from genaug.testing.selectors import PixelTools, SelectorContract

__all__ = ["GeneratorContract", "MetricContract", "PixelTools", "SelectorContract", "tiny_split"]
