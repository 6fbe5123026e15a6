"""From a RunConfig and loaded images to a mixed set: train, draw, select, mix and write."""
