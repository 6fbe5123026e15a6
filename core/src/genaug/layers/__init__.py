"""Building blocks for plugins of different families. Import them from the modules; `settings` does not import torch."""
