"""The metrics of core: formulas in `functional` and `intervals`; the metric classes that use them in other files."""
