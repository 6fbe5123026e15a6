"""The mixing engine: how many images each class gets, and the data set that real and synthetic ones make together."""
