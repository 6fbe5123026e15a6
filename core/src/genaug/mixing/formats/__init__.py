"""The formats in which a mixed data set can be written: class folders, tar shards, Parquet shards."""

from genaug.mixing.formats.entry import Entry
from genaug.mixing.formats.shards import SHARD_BYTES, SHARD_FOLDER
from genaug.mixing.formats.writing import check_format, write_images

__all__ = ["Entry", "SHARD_BYTES", "SHARD_FOLDER", "check_format", "write_images"]
