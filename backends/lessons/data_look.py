"""A look at the data.

The first 16 digits of MNIST with their labels, one digit's pixels as numbers, and the four measurements of iris by
species. Look before you train.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks import load_task
from tasks.mnist import read_digits

NAMES = ("sepal length", "sepal width", "petal length", "petal width")
CLASSES = ("setosa", "versicolor", "virginica")

NOTE = (
    "The pixels are uint8, 0 to 255. Dividing by 255 gives float64 in NumPy (float32 if the divisor is a float32), "
    "float32 in PyTorch, JAX and keras.ops, which promotes types as JAX does, whatever its engine. The means by "
    "species show how values are grouped: by a boolean mask in NumPy and PyTorch; by segment sums in Keras and JAX, "
    "which XLA compiles (jax.jit always does, Keras where it is asked): it needs shapes that do not depend on data, "
    "so that a mask is replaced by a sum into a fixed number of segments. Petal length alone separates setosa from "
    "the rest; versicolor and virginica overlap, which is where the mistakes of the iris-mlp task are."
)
DIFFERS = {"scaled_dtype": "the type of pixels / 255"}


def read() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """16 images (16, 28, 28) and their labels, all of iris (150, 4) and its species, as the tasks read them."""
    digits = read_digits()
    iris = load_task("iris-mlp").source.load(None)
    features = np.concatenate([iris.train_inputs, iris.test_inputs])
    species = np.concatenate([iris.train_labels, iris.test_labels])
    return digits["x_train"][:16], digits["y_train"][:16], features, species


def with_numpy() -> dict:
    """A mask for each species."""
    import numpy as np

    digits, labels, flowers, kinds = read()
    means = [flowers[kinds == s].mean(axis=0) for s in range(3)]
    return {
        "labels": labels,
        "images": digits,
        "first_digit": digits[0],
        "mean_pixel": (digits / 255).mean(axis=(1, 2)),
        "scaled_dtype": str((digits / 255).dtype),
        "flowers_by_species": np.bincount(kinds),
        "iris_means": np.array(means),
        "flowers": flowers,
        "species": kinds,
    }


def with_pytorch() -> dict:
    """A mask for each species."""
    import torch

    digits, labels, flowers, kinds = read()
    images = torch.tensor(digits)
    features, species = torch.tensor(flowers), torch.tensor(kinds)
    means = [features[species == s].mean(dim=0) for s in range(3)]
    return {
        "labels": torch.tensor(labels).numpy(),
        "images": images.numpy(),
        "first_digit": images[0].numpy(),
        "mean_pixel": (images / 255).mean(dim=(1, 2)).numpy(),
        "scaled_dtype": str((images / 255).dtype),
        "flowers_by_species": torch.bincount(species).numpy(),
        "iris_means": torch.stack(means).numpy(),
        "flowers": features.numpy(),
        "species": species.numpy(),
    }


def with_keras() -> dict:
    """Segment means: the species is the segment."""
    import keras
    from keras import ops

    digits, labels, flowers, kinds = read()
    images = ops.convert_to_tensor(digits)
    scaled = ops.cast(images, "float32") / 255
    counts = ops.bincount(kinds)
    means = ops.segment_sum(flowers, kinds, 3) / ops.cast(counts, "float32")[:, None]
    return {
        "labels": ops.convert_to_numpy(labels),
        "images": ops.convert_to_numpy(images),
        "first_digit": ops.convert_to_numpy(images[0]),
        "mean_pixel": ops.convert_to_numpy(ops.mean(scaled, axis=(1, 2))),
        "scaled_dtype": keras.backend.standardize_dtype(ops.divide(images, 255).dtype),
        "flowers_by_species": ops.convert_to_numpy(counts),
        "iris_means": ops.convert_to_numpy(means),
        "flowers": ops.convert_to_numpy(flowers),
        "species": ops.convert_to_numpy(kinds),
    }


def with_jax() -> dict:
    """Segment sums, divided by the counts."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    digits, labels, flowers, kinds = read()
    images = jnp.array(digits)
    counts = jnp.bincount(jnp.array(kinds), length=3)
    sums = jax.ops.segment_sum(jnp.array(flowers), kinds, 3)
    results = {
        "labels": jnp.array(labels),
        "images": images,
        "first_digit": images[0],
        "mean_pixel": (images / 255).mean(axis=(1, 2)),
        "flowers_by_species": counts,
        "iris_means": sums / counts[:, None],
        "flowers": jnp.array(flowers),
        "species": jnp.array(kinds),
    }
    arrays = {name: np.asarray(value) for name, value in results.items()}
    return {**arrays, "scaled_dtype": str((images / 255).dtype)}


def pictures(outputs: dict) -> dict[str, Any]:
    """The 16 digits; iris by species."""
    import altair as alt

    pixels = [
        {"digit": index, "row": row, "column": column, "value": value}
        for index, image in enumerate(outputs["images"])
        for row, line in enumerate(image)
        for column, value in enumerate(line)
    ]
    names = "[" + ",".join(f"'{label}'" for label in outputs["labels"]) + "]"
    header = alt.Header(title=None, labelExpr=f"{names}[datum.value]", labelFontSize=13, labelPadding=3)
    digits = (
        alt.Chart(alt.Data(values=pixels), width=alt.Step(3), height=alt.Step(3))
        .mark_rect()
        .encode(
            x=alt.X("column:O", axis=None),
            y=alt.Y("row:O", axis=None),
            color=alt.Color("value:Q", scale=alt.Scale(range=["black", "white"]), legend=None),
            facet=alt.Facet("digit:O", columns=8, header=header, spacing=6),
        )
    )
    flowers = [
        {**dict(zip(NAMES, map(float, features), strict=True)), "species": CLASSES[species]}
        for features, species in zip(outputs["flowers"], outputs["species"], strict=True)
    ]

    def scatter(x: str, y: str) -> Any:
        chart = alt.Chart(alt.Data(values=flowers), width=250, height=220).mark_point(
            filled=True, size=35, opacity=0.75
        )
        return chart.encode(
            x=alt.X(f"{x}:Q", title=f"{x} (cm)", scale=alt.Scale(zero=False)),
            y=alt.Y(f"{y}:Q", title=f"{y} (cm)", scale=alt.Scale(zero=False)),
            color=alt.Color("species:N", title=None),
            shape=alt.Shape("species:N", title=None),
        )

    return {
        "The first 16 training images, each under its label.": digits,
        "Iris by species: sepals (left), petals (right).": scatter(NAMES[0], NAMES[1]) | scatter(NAMES[2], NAMES[3]),
    }
