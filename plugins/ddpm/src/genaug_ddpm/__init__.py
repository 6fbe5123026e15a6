"""Denoising diffusion, one model per class or class-conditional, as generators of genaug."""
