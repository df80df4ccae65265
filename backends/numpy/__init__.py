"""The reference: every layer, loss and optimizer written out in NumPy, nothing hidden."""

from backends.about import About

ABOUT = About(
    name="numpy",
    label="NumPy",
    modules=("numpy",),
    distributions=("numpy",),
    backend="backends.numpy.backend.Backend",
    models={"tuned": "backends.numpy.model.NumpyModel"},
)
