"""The selectors of core: plugin.py describes them, each has its own file."""
