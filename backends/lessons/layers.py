"""Where a layer keeps its weights.

The same dense layer and the same convolution in each: the names, shapes and layouts of their weights, how to read them
and how to write them. All start from one set of numbers, in the layout of this project: NHWC, kernels (in, out) and
(height, width, in, out).
"""

from typing import Any

import numpy as np

ROW = np.array([[1.0, 2.0, 3.0]], np.float32)
DENSE_KERNEL = np.arange(6, dtype=np.float32).reshape(3, 2) / 10  # (in, out)
DENSE_BIAS = np.array([0.5, -0.5], np.float32)
IMAGE = np.arange(32, dtype=np.float32).reshape(1, 4, 4, 2) / 32  # NHWC
CONV_KERNEL = np.arange(54, dtype=np.float32).reshape(3, 3, 2, 3) / 54  # (height, width, in, out)
CONV_BIAS = np.array([0.1, 0.2, 0.3], np.float32)

NOTE = (
    "torch.nn layers hold weight and bias, both Parameters, in state_dict(): a Linear weight is (out, in), a Conv2d "
    "weight (out, in, height, width), and images are NCHW. Keras layers hold kernel and bias, (in, out) and (height, "
    "width, in, out), images NHWC; get_weights and set_weights copy NumPy arrays, assign changes one Variable, and "
    "there are none before the layer is built. flax.nnx has Keras's names and layouts; a Param is read and written "
    "whole with [...] (new arrays: nothing is changed in place below). A convolution here is a cross-correlation in "
    "all of them, the kernel is not flipped; padding='same' without a stride means the same in all."
)
DIFFERS = {
    "dense_weights": "names, shapes and layouts",
    "conv_weights": "names, shapes and layouts",
    "image_shape": "where the channels are: the image as the layer takes it",
}


def with_numpy() -> dict:
    """No layers: arrays, a product, a sum over windows."""
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    dense = ROW @ DENSE_KERNEL + DENSE_BIAS

    padded = np.pad(IMAGE, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))
    conv = np.einsum("nyxcij,ijco->nyxo", windows, CONV_KERNEL)
    conv = conv + CONV_BIAS
    return {
        "dense": dense,
        "conv": conv,
        "kernel_read_back": DENSE_KERNEL,
        "dense_weights": [f"kernel {DENSE_KERNEL.shape}", f"bias {DENSE_BIAS.shape}"],
        "conv_weights": [f"kernel {CONV_KERNEL.shape}", f"bias {CONV_BIAS.shape}"],
        "image_shape": str(IMAGE.shape),
    }


def with_pytorch() -> dict:
    """Weight (out, in) and bias, written under no_grad."""
    import torch
    from torch import nn

    dense = nn.Linear(3, 2)
    conv = nn.Conv2d(2, 3, kernel_size=3, padding="same")
    with torch.no_grad():
        dense.weight.copy_(torch.tensor(DENSE_KERNEL.T))
        dense.bias.copy_(torch.tensor(DENSE_BIAS))
        kernel = torch.tensor(CONV_KERNEL)
        conv.weight.copy_(kernel.permute(3, 2, 0, 1))
        conv.bias.copy_(torch.tensor(CONV_BIAS))

        image = torch.tensor(IMAGE).permute(0, 3, 1, 2)
        dense_output = dense(torch.tensor(ROW))
        conv_output = conv(image).permute(0, 2, 3, 1)

    def weights(layer: nn.Module) -> list[str]:
        state = layer.state_dict()
        return [f"{k} {tuple(v.shape)}" for k, v in state.items()]

    return {
        "dense": dense_output.numpy(),
        "conv": conv_output.numpy(),
        "kernel_read_back": dense.weight.detach().T.numpy(),
        "dense_weights": weights(dense),
        "conv_weights": weights(conv),
        "image_shape": str(tuple(image.shape)),
    }


def with_keras() -> dict:
    """Kernel (in, out) and bias, written by set_weights."""
    import keras

    dense = keras.layers.Dense(2, name="dense")
    conv = keras.layers.Conv2D(3, 3, padding="same", name="conv")
    dense.build(ROW.shape)
    conv.build(IMAGE.shape)
    dense.set_weights([DENSE_KERNEL, DENSE_BIAS])
    conv.kernel.assign(CONV_KERNEL)
    conv.bias.assign(CONV_BIAS)

    def weights(layer: keras.layers.Layer) -> list[str]:
        return [f"{w.path} {tuple(w.shape)}" for w in layer.weights]

    return {
        "dense": dense(ROW).numpy(),
        "conv": conv(IMAGE).numpy(),
        "kernel_read_back": dense.get_weights()[0],
        "dense_weights": weights(dense),
        "conv_weights": weights(conv),
        "image_shape": str(IMAGE.shape),
    }


def with_jax() -> dict:
    """Kernel (in, out) and bias, each an nnx.Param."""
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx

    rngs = nnx.Rngs(0)
    dense = nnx.Linear(3, 2, rngs=rngs)
    conv = nnx.Conv(2, 3, (3, 3), padding="SAME", rngs=rngs)
    dense.kernel[...] = jnp.array(DENSE_KERNEL)
    dense.bias[...] = jnp.array(DENSE_BIAS)
    conv.kernel[...] = jnp.array(CONV_KERNEL)
    conv.bias[...] = jnp.array(CONV_BIAS)

    def weights(layer: nnx.Module) -> list[str]:
        state = nnx.to_pure_dict(nnx.state(layer))
        names = sorted(state, reverse=True)
        return [f"{k} {state[k].shape}" for k in names]

    return {
        "dense": np.asarray(dense(jnp.array(ROW))),
        "conv": np.asarray(conv(jnp.array(IMAGE))),
        "kernel_read_back": np.asarray(dense.kernel[...]),
        "dense_weights": weights(dense),
        "conv_weights": weights(conv),
        "image_shape": str(IMAGE.shape),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The convolution's kernel, a square for each pair of a channel and a filter."""
    import altair as alt

    cells = [
        {"y": y, "x": x, "channel": f"channel {c}", "filter": f"filter {o}", "weight": float(CONV_KERNEL[y, x, c, o])}
        for y, x, c, o in np.ndindex(CONV_KERNEL.shape)
    ]
    chart = alt.Chart(alt.Data(values=cells), width=90, height=90).mark_rect()
    chart = chart.encode(
        x=alt.X("x:O", title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("y:O", title=None),
        color=alt.Color("weight:Q", title="weight", scale=alt.Scale(scheme="blues")),
        column=alt.Column("filter:N", title=None),
        row=alt.Row("channel:N", title=None),
    )
    return {"The kernel (height, width, in, out): 3 x 3 weights for each of 2 channels and 3 filters.": chart}
