"""Rectified flow: a generator for genaug."""
