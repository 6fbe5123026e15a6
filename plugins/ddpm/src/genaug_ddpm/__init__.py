"""Denoising diffusion, one model per class or class-conditional: generators for genaug."""
