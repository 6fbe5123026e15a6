"""Variational autoencoder as a generator of genaug."""
