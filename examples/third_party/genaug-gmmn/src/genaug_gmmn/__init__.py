"""Generative moment matching network as a generator of genaug."""
