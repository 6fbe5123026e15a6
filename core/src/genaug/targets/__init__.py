"""Computes the number of new images of each class, {class: number}, from any way to state it."""
