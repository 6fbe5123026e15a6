"""Core's own generators, which need no training: classical augmentation and oversampling."""
