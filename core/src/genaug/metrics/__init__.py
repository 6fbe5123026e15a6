"""Metrics of core: pure maths in `functional` and `intervals`, one small file around it for each kind."""
