"""Variational autoencoder, one model per class: a generator for genaug."""
