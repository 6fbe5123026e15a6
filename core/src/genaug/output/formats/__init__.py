"""The formats in which a mixed data set can be written: class folders, tar shards, Parquet shards."""

from genaug.output.formats.entry import Entries, Entry, UserFile
from genaug.output.formats.writing import check_format, images_folder, write_images

__all__ = ["Entries", "Entry", "UserFile", "check_format", "images_folder", "write_images"]
