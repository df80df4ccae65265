"""How a comparison runs: its cells, one after the other."""
