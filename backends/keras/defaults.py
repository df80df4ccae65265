"""Keras's defaults, and what newcomers to it often write."""

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
from tasks.schedules import CONSTANT
from tasks.task import Recipe
from tasks.training import (
    SGD,
    Adadelta,
    Adam,
    AdamW,
    DecoupledSGD,
    EpsilonHatAdam,
    EpsilonHatAdamW,
    EpsilonInsideRMSprop,
    RateInsideDecoupledSGD,
    RateInsideSGD,
    RMSprop,
)


def _decoupled(recipe: Recipe) -> Recipe:
    decays = recipe.optimizer.weight_decay > 0
    forms = {
        Adam: AdamW,
        EpsilonHatAdam: EpsilonHatAdamW,
        SGD: DecoupledSGD,
        RateInsideSGD: RateInsideDecoupledSGD,
    }
    return several(*(of_rule(kind, to) for kind, to in forms.items()))(recipe) if decays else recipe


def _with_the_rate_inside(recipe: Recipe) -> Recipe:
    has_momentum = isinstance(recipe.optimizer, SGD) and recipe.optimizer.momentum > 0
    inside = several(of_rule(SGD, RateInsideSGD), of_rule(DecoupledSGD, RateInsideDecoupledSGD))
    return inside(recipe) if has_momentum and recipe.schedule != CONSTANT else recipe


DEFAULTS = (
    Default(
        "initial weights",
        "Keras's layers draw kernels by glorot_uniform, within sqrt(6 / (fan_in + fan_out)), and begin with biases"
        " of 0.",
        "Dense(kernel_initializer=..., bias_initializer=...)",
        of_recipe(initializer="keras"),
    ),
    Default(
        "weight decay",
        "keras.optimizers.AdamW decays by 0.004 unless told otherwise. The weight_decay of Keras's Adam and SGD is"
        " decoupled, beside the gradient, and for all variables, biases too; PyTorch's Adam and SGD add it to the"
        " gradient.",
        "AdamW(weight_decay=...) and exclude_from_weight_decay; kernel_regularizer=L2(decay / 2) is coupled",
        several(of_rule(AdamW, weight_decay=0.004), _decoupled, decaying_all),
    ),
    Default(
        "optimizer's decay rates",
        "keras.optimizers.RMSprop keeps rho=0.9 of its mean of squares, keras.optimizers.Adadelta rho=0.95.",
        "Adadelta(rho=...)",
        several(of_rule(RMSprop, decay=0.9), of_rule(Adadelta, decay=0.95)),
    ),
    Default(
        "optimizer's epsilon",
        "keras.optimizers.Adam adds epsilon=1e-7, before the bias correction: at the first step it weighs as much as"
        " 3.2e-6 after it. keras.optimizers.RMSprop adds it inside of the root.",
        "Adam(epsilon=...); where it is added cannot be changed",
        several(
            of_rule(Adam, EpsilonHatAdam, epsilon=1e-7),
            of_rule(AdamW, EpsilonHatAdamW, epsilon=1e-7),
            of_rule(RMSprop, EpsilonInsideRMSprop, epsilon=1e-7),
            of_rule(Adadelta, epsilon=1e-7),
        ),
    ),
    Default(
        "momentum under a schedule",
        "keras.optimizers.SGD has the learning rate inside of the momentum: under a schedule, earlier gradients keep"
        " the rates of their steps.",
        "a subclass of SGD with its own update_step",
        _with_the_rate_inside,
    ),
    Default(
        "batch normalization",
        "BatchNormalization has momentum=0.99, which is the share of the old values that is kept, and epsilon=1e-3; its"
        " running variance is the biased one.",
        "BatchNormalization(momentum=..., epsilon=...)",
        of_layers(BatchNorm, momentum=0.99, epsilon=1e-3, unbiased=False),
    ),
    Default(
        "layer normalization",
        "LayerNormalization has epsilon=1e-3.",
        "LayerNormalization(epsilon=...)",
        of_layers(LayerNorm, epsilon=1e-3),
    ),
    Default(
        "average of the padding",
        "AveragePooling2D leaves the padding out of its averages.",
        "ZeroPadding2D before it, to count zeros",
        counting_padding(False),
    ),
    Default(
        "GELU",
        "keras.activations.gelu is exact (approximate=False).",
        "gelu(approximate=True)",
        of_layers(GELU, approximate=False),
    ),
    Default(
        "slope of LeakyReLU",
        "The layer LeakyReLU has negative_slope=0.3; the function leaky_relu has 0.2.",
        "LeakyReLU(negative_slope=...)",
        of_layers(LeakyReLU, slope=0.3),
    ),
    Default(
        "order of the examples",
        "fit shuffles arrays anew in each epoch (shuffle=True).",
        "fit(shuffle=False)",
        of_recipe(shuffle=True, shuffle_buffer=None),
    ),
    Default(
        "last batch",
        "fit keeps the last, smaller batch.",
        "tf.data's batch(drop_remainder=True)",
        of_recipe(drop_remainder=False),
    ),
    Default(
        "softmax before the loss",
        "CategoricalCrossentropy(from_logits=True) takes the softmax itself: a network that ends in one has it taken"
        " twice. Without from_logits, Keras's own default, the softmax belongs at the end.",
        "from_logits=False, or no softmax at the end",
        softmax_before_the_loss,
        mistake=True,
    ),
)
