"""flow keeps the contract of a generator."""

from genaug.testing import GeneratorContract


class TestFlow(GeneratorContract):
    generator = "flow"
    settings = {"width": 8, "sampling_steps": 2}
