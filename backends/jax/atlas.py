"""What the defaults of flax and optax are read from."""

from collections.abc import Mapping

from backends.atlas import Entry, spread

ENTRIES = (
    Entry(
        "layer",
        "BatchNorm",
        "flax.nnx.BatchNorm",
        {"momentum": "momentum", "epsilon": "epsilon", "scale and bias": "use_scale"},
    ),
    Entry("layer", "LayerNorm", "flax.nnx.LayerNorm", {"epsilon": "epsilon", "scale and bias": "use_scale"}),
    Entry(
        "layer",
        "Conv2D",
        "flax.nnx.Conv",
        {"strides": "strides", "padding": "padding", "groups": "feature_group_count", "bias": "use_bias"},
    ),
    Entry(
        "layer",
        "ConvTranspose2D",
        "flax.nnx.ConvTranspose",
        {"strides": "strides", "padding": "padding"},
        {"strides": "1"},
    ),
    Entry("layer", "Dense", "flax.nnx.Linear", {"bias": "use_bias"}),
    Entry("layer", "Dropout", "flax.nnx.Dropout", {"rate": "rate"}),
    Entry("layer", "MaxPool2D", "flax.nnx.max_pool", {"strides": "strides", "padding": "padding"}, {"strides": "1"}),
    Entry(
        "layer",
        "AveragePool2D",
        "flax.nnx.avg_pool",
        {"strides": "strides", "padding": "padding", "counts the padding": "count_include_pad"},
        {"strides": "1"},
    ),
    Entry("function", "GELU", "jax.nn.gelu", {"approximation": "approximate"}),
    Entry("function", "LeakyReLU", "jax.nn.leaky_relu", {"slope": "negative_slope"}),
    Entry(
        "optimizer",
        "SGD",
        "optax.sgd",
        {"learning rate": "learning_rate", "momentum": "momentum", "nesterov": "nesterov", "weight decay": ""},
    ),
    Entry(
        "optimizer",
        "Adam",
        "optax.adam",
        {"learning rate": "learning_rate", "betas": "b1, b2", "epsilon": "eps", "weight decay": ""},
    ),
    Entry(
        "optimizer",
        "AdamW",
        "optax.adamw",
        {"learning rate": "learning_rate", "betas": "b1, b2", "epsilon": "eps", "weight decay": "weight_decay"},
    ),
    Entry(
        "optimizer",
        "RMSprop",
        "optax.rmsprop",
        {"learning rate": "learning_rate", "decay": "decay", "epsilon": "eps", "momentum": "momentum"},
    ),
    Entry(
        "optimizer",
        "Adadelta",
        "optax.adadelta",
        {"learning rate": "learning_rate", "decay": "rho", "epsilon": "eps"},
    ),
    Entry(
        "loss",
        "cross-entropy",
        "optax.softmax_cross_entropy",
        {"reduction": "", "label smoothing": ""},
    ),
    Entry("loss", "binary cross-entropy", "optax.sigmoid_binary_cross_entropy", {"reduction": ""}),
    Entry("loss", "mean squared error", "optax.squared_error", {"reduction": ""}),
)


def initial_weights() -> Mapping[str, Mapping[str, float]]:
    """Figures of the weights that new layers draw."""
    import numpy as np
    from flax import nnx

    dense = nnx.Linear(400, 300, rngs=nnx.Rngs(0))
    convolution = nnx.Conv(64, 128, (3, 3), rngs=nnx.Rngs(0))
    return {
        "Dense": spread(np.asarray(dense.kernel[...]), np.asarray(dense.bias[...]), 400),
        "Conv2D": spread(np.asarray(convolution.kernel[...]), np.asarray(convolution.bias[...]), 64 * 9),
    }
