"""The one place that holds the version of genaug and of the plugins of its repository."""

__version__ = "0.1.0"
