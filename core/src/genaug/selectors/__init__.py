"""Core's own selectors: one small file each."""
