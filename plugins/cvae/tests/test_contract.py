"""cvae keeps the contract of a generator."""

from genaug.testing import GeneratorContract


class TestCVAE(GeneratorContract):
    generator = "cvae"
    settings = {"width": 4, "latent": 4, "embedding": 4}
