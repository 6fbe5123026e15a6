"""Studies of whether synthetic images help: arms at equal gradient steps, repeated leak-proof splits, a verdict."""
