"""The report page: one HTML file that shows everything known about an output and needs no network."""

from genaug.report.page import write_report

__all__ = ["write_report"]
