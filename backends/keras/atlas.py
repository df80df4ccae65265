"""What Keras's defaults are read from."""

from collections.abc import Mapping

from backends.atlas import Entry, spread

ENTRIES = (
    Entry(
        "layer",
        "BatchNorm",
        "keras.layers.BatchNormalization",
        {"momentum": "momentum", "epsilon": "epsilon", "scale and bias": "scale"},
    ),
    Entry("layer", "LayerNorm", "keras.layers.LayerNormalization", {"epsilon": "epsilon", "scale and bias": "scale"}),
    Entry(
        "layer",
        "Conv2D",
        "keras.layers.Conv2D",
        {"strides": "strides", "padding": "padding", "groups": "groups", "bias": "use_bias"},
    ),
    Entry("layer", "ConvTranspose2D", "keras.layers.Conv2DTranspose", {"strides": "strides", "padding": "padding"}),
    Entry("layer", "Dense", "keras.layers.Dense", {"bias": "use_bias"}),
    Entry("layer", "Dropout", "keras.layers.Dropout", {"rate": "rate"}),
    Entry(
        "layer",
        "MaxPool2D",
        "keras.layers.MaxPooling2D",
        {"strides": "strides", "padding": "padding"},
        {"strides": "the window"},
    ),
    Entry(
        "layer",
        "AveragePool2D",
        "keras.layers.AveragePooling2D",
        {"strides": "strides", "padding": "padding", "counts the padding": ""},
        {"strides": "the window"},
    ),
    Entry("function", "GELU", "keras.activations.gelu", {"approximation": "approximate"}),
    Entry("function", "LeakyReLU", "keras.layers.LeakyReLU", {"slope": "negative_slope"}),
    Entry(
        "optimizer",
        "SGD",
        "keras.optimizers.SGD",
        {
            "learning rate": "learning_rate",
            "momentum": "momentum",
            "nesterov": "nesterov",
            "weight decay": "weight_decay",
        },
    ),
    Entry(
        "optimizer",
        "Adam",
        "keras.optimizers.Adam",
        {
            "learning rate": "learning_rate",
            "betas": "beta_1, beta_2",
            "epsilon": "epsilon",
            "weight decay": "weight_decay",
        },
    ),
    Entry(
        "optimizer",
        "AdamW",
        "keras.optimizers.AdamW",
        {
            "learning rate": "learning_rate",
            "betas": "beta_1, beta_2",
            "epsilon": "epsilon",
            "weight decay": "weight_decay",
        },
    ),
    Entry(
        "optimizer",
        "RMSprop",
        "keras.optimizers.RMSprop",
        {"learning rate": "learning_rate", "decay": "rho", "epsilon": "epsilon", "momentum": "momentum"},
    ),
    Entry(
        "optimizer",
        "Adadelta",
        "keras.optimizers.Adadelta",
        {"learning rate": "learning_rate", "decay": "rho", "epsilon": "epsilon"},
    ),
    Entry(
        "loss",
        "cross-entropy",
        "keras.losses.CategoricalCrossentropy",
        {"reduction": "reduction", "label smoothing": "label_smoothing", "expects logits": "from_logits"},
    ),
    Entry(
        "loss",
        "binary cross-entropy",
        "keras.losses.BinaryCrossentropy",
        {"reduction": "reduction", "expects logits": "from_logits"},
    ),
    Entry("loss", "mean squared error", "keras.losses.MeanSquaredError", {"reduction": "reduction"}),
    Entry(
        "data",
        "loader",
        "keras.Model.fit",
        {"batch size": "batch_size", "shuffles": "shuffle", "drops the last batch": ""},
        {"batch size": "32"},
    ),
)


def initial_weights() -> Mapping[str, Mapping[str, float]]:
    """Figures of the weights that new layers draw."""
    import keras

    keras.utils.set_random_seed(0)
    dense, convolution = keras.layers.Dense(300), keras.layers.Conv2D(128, 3)
    dense.build((None, 400))
    convolution.build((None, 9, 9, 64))
    read = keras.ops.convert_to_numpy
    return {
        "Dense": spread(read(dense.kernel), read(dense.bias), 400),
        "Conv2D": spread(read(convolution.kernel), read(convolution.bias), 64 * 9),
    }
