"""vae keeps the contract of a generator."""

from genaug.testing import GeneratorContract


class TestVAE(GeneratorContract):
    generator = "vae"
    settings = {"width": 4, "latent": 4}
