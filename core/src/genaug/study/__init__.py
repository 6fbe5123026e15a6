"""Does it help? Arms at equal gradient steps, repeated leak-proof splits, a verdict in plain words."""
