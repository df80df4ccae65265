"""What PyTorch's defaults are read from."""

from collections.abc import Mapping

from backends.atlas import Entry, spread

ENTRIES = (
    Entry(
        "layer",
        "BatchNorm",
        "torch.nn.BatchNorm2d",
        {"momentum": "momentum", "epsilon": "eps", "scale and bias": "affine"},
    ),
    Entry("layer", "LayerNorm", "torch.nn.LayerNorm", {"epsilon": "eps", "scale and bias": "elementwise_affine"}),
    Entry(
        "layer",
        "Conv2D",
        "torch.nn.Conv2d",
        {"strides": "stride", "padding": "padding", "groups": "groups", "bias": "bias"},
    ),
    Entry("layer", "ConvTranspose2D", "torch.nn.ConvTranspose2d", {"strides": "stride", "padding": "padding"}),
    Entry("layer", "Dense", "torch.nn.Linear", {"bias": "bias"}),
    Entry("layer", "Dropout", "torch.nn.Dropout", {"rate": "p"}),
    Entry(
        "layer",
        "MaxPool2D",
        "torch.nn.MaxPool2d",
        {"strides": "stride", "padding": "padding"},
        {"strides": "the window"},
    ),
    Entry(
        "layer",
        "AveragePool2D",
        "torch.nn.AvgPool2d",
        {"strides": "stride", "padding": "padding", "counts the padding": "count_include_pad"},
        {"strides": "the window"},
    ),
    Entry("function", "GELU", "torch.nn.GELU", {"approximation": "approximate"}),
    Entry("function", "LeakyReLU", "torch.nn.LeakyReLU", {"slope": "negative_slope"}),
    Entry(
        "optimizer",
        "SGD",
        "torch.optim.SGD",
        {"learning rate": "lr", "momentum": "momentum", "nesterov": "nesterov", "weight decay": "weight_decay"},
    ),
    Entry(
        "optimizer",
        "Adam",
        "torch.optim.Adam",
        {"learning rate": "lr", "betas": "betas", "epsilon": "eps", "weight decay": "weight_decay"},
    ),
    Entry(
        "optimizer",
        "AdamW",
        "torch.optim.AdamW",
        {"learning rate": "lr", "betas": "betas", "epsilon": "eps", "weight decay": "weight_decay"},
    ),
    Entry(
        "optimizer",
        "RMSprop",
        "torch.optim.RMSprop",
        {"learning rate": "lr", "decay": "alpha", "epsilon": "eps", "momentum": "momentum"},
    ),
    Entry("optimizer", "Adadelta", "torch.optim.Adadelta", {"learning rate": "lr", "decay": "rho", "epsilon": "eps"}),
    Entry(
        "loss",
        "cross-entropy",
        "torch.nn.CrossEntropyLoss",
        {"reduction": "reduction", "label smoothing": "label_smoothing"},
    ),
    Entry("loss", "binary cross-entropy", "torch.nn.BCELoss", {"reduction": "reduction"}),
    Entry("loss", "mean squared error", "torch.nn.MSELoss", {"reduction": "reduction"}),
    Entry(
        "data",
        "loader",
        "torch.utils.data.DataLoader",
        {"batch size": "batch_size", "shuffles": "shuffle", "drops the last batch": "drop_last"},
        {"shuffles": "False"},
    ),
)


def initial_weights() -> Mapping[str, Mapping[str, float]]:
    """Figures of the weights that new layers draw."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    with torch.no_grad():
        dense, convolution = nn.Linear(400, 300), nn.Conv2d(64, 128, 3)
        return {
            "Dense": spread(dense.weight.numpy(), dense.bias.numpy(), 400),
            "Conv2D": spread(convolution.weight.numpy(), convolution.bias.numpy(), 64 * 9),
        }
