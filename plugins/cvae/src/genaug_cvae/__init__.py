"""Class-conditional variational autoencoder as a generator of genaug."""
