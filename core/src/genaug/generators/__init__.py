"""Core's own generators: the two that train nothing."""
