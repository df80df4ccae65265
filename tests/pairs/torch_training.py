"""Models with optimizers and losses, as users of PyTorch write them."""

from typing import Any

import torch
from torch import nn

Made = tuple[nn.Module, Any, Any]


def _net(outputs: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(7, 12), nn.ReLU(), nn.Linear(12, outputs))


def sgd() -> Made:
    net = _net()
    return net, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), nn.CrossEntropyLoss()


def summed() -> Made:
    net = _net()
    return net, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), nn.CrossEntropyLoss(reduction="sum")


def softmax_twice() -> Made:
    net = _net()
    loss = nn.CrossEntropyLoss()
    return net, torch.optim.SGD(net.parameters(), lr=0.1), lambda outputs, labels: loss(outputs.softmax(1), labels)


def adam() -> Made:
    net = _net()
    return net, torch.optim.Adam(net.parameters()), nn.CrossEntropyLoss()


def adam_decay() -> Made:
    net = _net()
    return net, torch.optim.Adam(net.parameters(), weight_decay=0.01), nn.CrossEntropyLoss()


def adamw() -> Made:
    net = _net()
    return net, torch.optim.AdamW(net.parameters(), weight_decay=0.01), nn.CrossEntropyLoss()


def squares() -> Made:
    net = _net(1)
    loss = nn.MSELoss()
    return net, torch.optim.SGD(net.parameters(), lr=0.1), lambda outputs, labels: loss(outputs[:, 0], labels)


def cnn() -> Made:
    layers = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten()
    net = nn.Sequential(*layers, nn.Linear(4 * 8 * 8, 5))
    return net, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), nn.CrossEntropyLoss()


def without_loss() -> nn.Module:
    return _net()


def loss_of_each() -> Made:
    net = _net()
    return net, torch.optim.SGD(net.parameters(), lr=0.1), nn.CrossEntropyLoss(reduction="none")
