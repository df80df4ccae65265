"""The reference, in plain NumPy: every forward and backward pass written out, in float32 or float64."""
