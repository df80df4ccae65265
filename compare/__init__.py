"""Which models are compared, and how they are measured and reported. Imports no framework."""
