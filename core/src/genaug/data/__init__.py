"""Labelled images from folders, data sets and arrays; near-duplicates; training splits that cannot leak."""
