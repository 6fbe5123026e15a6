"""Class-conditional variational autoencoder: a generator for genaug."""
