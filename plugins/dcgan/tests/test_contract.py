"""dcgan and cdcgan keep the contract of a generator."""

from genaug.testing import GeneratorContract


class TestDCGAN(GeneratorContract):
    generator = "dcgan"
    settings = {"width": 8, "latent": 8}


class TestCDCGAN(GeneratorContract):
    generator = "cdcgan"
    settings = {"width": 8, "latent": 8, "embedding": 8}
