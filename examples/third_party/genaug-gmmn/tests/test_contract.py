"""gmmn keeps the contract of a generator."""

from genaug.testing import GeneratorContract


class TestGMMN(GeneratorContract):
    generator = "gmmn"
    settings = {"width": 4, "latent": 4}
