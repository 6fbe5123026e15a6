"""The report page: one HTML file that shows everything known about an output and needs no network."""

from genaug.report.comparison import write_comparison
from genaug.report.page import write_report

__all__ = ["write_comparison", "write_report"]
