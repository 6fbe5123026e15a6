"""The page that people look at: one file, no network."""

from genaug.report.page import write_report

__all__ = ["write_report"]
