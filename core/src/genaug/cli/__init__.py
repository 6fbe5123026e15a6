"""The command line: one file per command; main() catches errors and prints them."""

from genaug.cli.app import main

__all__ = ["main"]
