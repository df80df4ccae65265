"""PyTorch: networks of ``torch.nn`` modules."""
