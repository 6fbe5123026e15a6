"""Generative moment matching network: a generator for genaug."""
