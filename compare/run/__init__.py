"""A run: its options, its cells, the runner that has them done, and the folder that keeps what comes of them."""
