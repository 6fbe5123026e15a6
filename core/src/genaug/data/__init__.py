"""Image folders and arrays to training splits that cannot leak."""
