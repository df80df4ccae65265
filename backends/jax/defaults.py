"""The defaults of flax and optax, and what newcomers to them often write."""

from backends.default import (
    Default,
    counting_padding,
    decaying_all,
    of_layers,
    of_recipe,
    of_rule,
    several,
    softmax_before_the_loss,
)
from tasks.layers import GELU, BatchNorm, LayerNorm, LeakyReLU
from tasks.training import Adadelta, Adam, AdamW, EpsilonInsideRMSprop, RMSprop

DEFAULTS = (
    Default(
        "initial weights",
        "nnx.Linear and nnx.Conv draw kernels by lecun_normal, with the variance 1 / fan_in and truncated, and begin"
        " with biases of 0.",
        "nnx.Linear(kernel_init=..., bias_init=...)",
        of_recipe(initializer="flax"),
    ),
    Default(
        "weight decay",
        "optax.adamw decays by 0.0001 unless told otherwise, and all parameters, biases too.",
        "optax.adamw(weight_decay=..., mask=...)",
        several(of_rule(AdamW, weight_decay=0.0001), decaying_all),
    ),
    Default(
        "optimizer's decay rates",
        "optax.rmsprop keeps decay=0.9 of its mean of squares, optax.adadelta rho=0.9.",
        "optax.rmsprop(decay=...)",
        several(of_rule(RMSprop, decay=0.9), of_rule(Adadelta, decay=0.9)),
    ),
    Default(
        "optimizer's epsilon",
        "optax.adam adds eps=1e-8 after the bias correction; optax.rmsprop adds it inside of the root;"
        " optax.adadelta has eps=1e-6.",
        "optax.adam(eps=...), optax.rmsprop(eps_in_sqrt=False)",
        several(
            of_rule(Adam, epsilon=1e-8),
            of_rule(AdamW, epsilon=1e-8),
            of_rule(RMSprop, EpsilonInsideRMSprop, epsilon=1e-8),
            of_rule(Adadelta, epsilon=1e-6),
        ),
    ),
    Default(
        "batch normalization",
        "nnx.BatchNorm has momentum=0.99, which is the share of the old values that is kept, and epsilon=1e-5; its"
        " running variance is the biased one.",
        "nnx.BatchNorm(momentum=..., epsilon=...)",
        of_layers(BatchNorm, momentum=0.99, epsilon=1e-5, unbiased=False),
    ),
    Default(
        "layer normalization",
        "nnx.LayerNorm has epsilon=1e-6.",
        "nnx.LayerNorm(epsilon=...)",
        of_layers(LayerNorm, epsilon=1e-6),
    ),
    Default(
        "average of the padding",
        "nnx.avg_pool counts the zeros of its padding (count_include_pad=True).",
        "nnx.avg_pool(count_include_pad=False)",
        counting_padding(True),
    ),
    Default(
        "GELU",
        "jax.nn.gelu is the approximation by a hyperbolic tangent (approximate=True), up to 4.7e-4 away.",
        "jax.nn.gelu(approximate=False)",
        of_layers(GELU, approximate=True),
    ),
    Default(
        "slope of LeakyReLU",
        "jax.nn.leaky_relu has negative_slope=0.01.",
        "leaky_relu(negative_slope=...)",
        of_layers(LeakyReLU, slope=0.01),
    ),
    Default(
        "last batch",
        "JAX has no loader; flax's own tutorials leave out the examples that fill no batch (drop_remainder=True), of"
        " the test set too. Here all of the test set is used, so that the accuracies can be compared.",
        "batches of arrays, the last of them smaller",
        of_recipe(drop_remainder=True),
    ),
    Default(
        "softmax before the loss",
        "optax.softmax_cross_entropy expects logits and takes the softmax itself: a network that ends in nnx.softmax"
        " has it taken twice, so that gradients shrink and the loss cannot fall to 0.",
        "leave nnx.softmax out of the network",
        softmax_before_the_loss,
        mistake=True,
    ),
)
