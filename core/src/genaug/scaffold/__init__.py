"""Writes the package of a new plugin, which works as it is."""

from genaug.scaffold.package import KINDS, Kind, write_package

__all__ = ["KINDS", "Kind", "write_package"]
