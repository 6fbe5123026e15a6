"""The generator keeps the contract."""

from genaug.testing import GeneratorContract


class TestCVAE(GeneratorContract):
    generator = "cvae"
    settings = {"width": 4, "latent": 4, "embedding": 4}
