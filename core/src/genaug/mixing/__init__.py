"""How real meets synthetic, in memory: the mixed set of a run, recipes, live data sets and their batches."""
