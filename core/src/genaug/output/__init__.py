"""Everything that an output folder holds: file names, formats, records and pictures."""
