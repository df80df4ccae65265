"""Why two frameworks give different results: the defaults of each, turned on one at a time in an aligned model."""
