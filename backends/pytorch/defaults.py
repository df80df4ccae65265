"""PyTorch's defaults, and what newcomers to it often write."""

from backends.default import (
    Default,
    counting_padding,
    decaying_all,
    of_layers,
    of_recipe,
    of_rule,
    padded_on_both_sides,
    several,
    softmax_before_the_loss,
)
from tasks.layers import GELU, BatchNorm, LayerNorm, LeakyReLU
from tasks.training import Adadelta, Adam, AdamW, RMSprop

DEFAULTS = (
    Default(
        "initial weights",
        "nn.Linear and nn.Conv2d draw kernels and biases uniformly within 1/sqrt(fan_in); Keras and flax draw kernels"
        " otherwise and begin with biases of 0.",
        "torch.nn.init, after the network is made",
        of_recipe(initializer="pytorch"),
    ),
    Default(
        "weight decay",
        "torch.optim.AdamW decays by 0.01 unless told otherwise, and every optimizer decays all parameters that it is"
        " given, biases too.",
        "torch.optim.AdamW(weight_decay=...), with a group of parameters for those that are not decayed",
        several(of_rule(AdamW, weight_decay=0.01), decaying_all),
    ),
    Default(
        "optimizer's decay rates",
        "torch.optim.RMSprop keeps alpha=0.99 of its mean of squares, torch.optim.Adadelta rho=0.9.",
        "torch.optim.RMSprop(alpha=...)",
        several(of_rule(RMSprop, decay=0.99), of_rule(Adadelta, decay=0.9)),
    ),
    Default(
        "optimizer's epsilon",
        "torch.optim.Adam adds eps=1e-8 after the bias correction, torch.optim.Adadelta eps=1e-6.",
        "torch.optim.Adam(eps=...)",
        several(
            of_rule(Adam, epsilon=1e-8),
            of_rule(AdamW, epsilon=1e-8),
            of_rule(RMSprop, epsilon=1e-8),
            of_rule(Adadelta, epsilon=1e-6),
        ),
    ),
    Default(
        "batch normalization",
        "nn.BatchNorm2d has momentum=0.1, which is the weight of the new values (in Keras's and flax's terms 0.9),"
        " eps=1e-5, and moves its running variance towards the unbiased one.",
        "nn.BatchNorm2d(momentum=..., eps=...)",
        of_layers(BatchNorm, momentum=0.9, epsilon=1e-5, unbiased=True),
    ),
    Default(
        "layer normalization", "nn.LayerNorm has eps=1e-5.", "nn.LayerNorm(eps=...)", of_layers(LayerNorm, epsilon=1e-5)
    ),
    Default(
        "padding with a stride",
        "nn.Conv2d refuses padding='same' with a stride; padding=kernel // 2, which takes its place, adds as much on"
        " both sides where TensorFlow and flax add more at the bottom and at the right.",
        "nn.ZeroPad2d((0, 1, 0, 1)) before the convolution",
        padded_on_both_sides,
    ),
    Default(
        "average of the padding",
        "nn.AvgPool2d counts the zeros of its padding (count_include_pad=True).",
        "nn.AvgPool2d(count_include_pad=False)",
        counting_padding(True),
    ),
    Default("GELU", "nn.GELU is exact.", "nn.GELU(approximate='tanh')", of_layers(GELU, approximate=False)),
    Default(
        "slope of LeakyReLU", "nn.LeakyReLU has the slope 0.01.", "nn.LeakyReLU(0.3)", of_layers(LeakyReLU, slope=0.01)
    ),
    Default(
        "order of the examples",
        "DataLoader keeps the order of the data set (shuffle=False), epoch after epoch.",
        "DataLoader(shuffle=True)",
        of_recipe(shuffle=False, shuffle_buffer=None),
    ),
    Default(
        "last batch",
        "DataLoader keeps the last, smaller batch (drop_last=False).",
        "DataLoader(drop_last=True)",
        of_recipe(drop_remainder=False),
    ),
    Default(
        "softmax before the loss",
        "nn.CrossEntropyLoss expects logits and takes the softmax itself: a network that ends in nn.Softmax has it"
        " taken twice, so that gradients shrink and the loss cannot fall to 0.",
        "leave nn.Softmax out of the network",
        softmax_before_the_loss,
        mistake=True,
    ),
)
