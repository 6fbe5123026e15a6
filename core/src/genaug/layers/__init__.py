"""Building blocks that several plugins share; import them from the modules, of which `settings` is free of torch."""
