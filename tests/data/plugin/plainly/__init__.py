"""A backend of another package: NumPy in float32, written apart from the reference's model. Imports no framework."""

from dataclasses import replace

from backends.about import About

ABOUT = About(
    name="plainly",
    label="Plainly",
    modules=("numpy",),
    distributions=("numpy",),
    backend="plainly.backend.Backend",
    models={"stock": "plainly.backend.Model"},
    package="plainly",
)
CROOKED = replace(ABOUT, name="crooked", backend="plainly.backend.Crooked", models={"stock": "plainly.backend.Model"})
DOTTED = replace(ABOUT, name="dotted", modules=("nonesuch.inner",), formulations={"odd": "another form"})
EXPLODING = replace(ABOUT, name="exploding", modules=("plainly.quitting.inner",))
