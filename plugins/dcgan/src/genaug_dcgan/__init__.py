"""DCGAN and class-conditional DCGAN as generators of genaug."""
