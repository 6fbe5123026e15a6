"""ddpm and cddpm keep the contract of a generator, starting from noise and from training images."""

from genaug.testing import GeneratorContract


class TestDDPM(GeneratorContract):
    generator = "ddpm"
    settings = {"width": 8, "sampling_steps": 3}


class TestCDDPM(GeneratorContract):
    generator = "cddpm"
    settings = {"width": 8, "sampling_steps": 3, "strength": 0.6, "borrowed": 0.5}
