"""genaug balances a small image folder with generated images, and says honestly whether that helped.

This is the light door: importing it never imports torch.
"""

from genaug.errors import DataError, GenaugError, OutputError, PluginError, TrainingError, UsageError

__all__ = ["DataError", "GenaugError", "OutputError", "PluginError", "TrainingError", "UsageError"]
