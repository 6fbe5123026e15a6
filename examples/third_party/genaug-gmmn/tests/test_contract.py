"""The generator keeps the contract."""

from genaug.testing import GeneratorContract


class TestGMMN(GeneratorContract):
    generator = "gmmn"
    settings = {"width": 4, "latent": 4}
