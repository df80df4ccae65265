"""Models as users of PyTorch write them."""

import torch
from torch import nn
from torch.nn import functional


def _shaken(model: nn.Module) -> nn.Module:
    """With running statistics, scales and shifts that are no longer those of a new layer."""
    torch.manual_seed(0)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
            if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
                module.weight.normal_()
                module.bias.normal_()
    return model


class Cnn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 6, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.5)
        self.dense1 = nn.Linear(6 * 4 * 4, 10)
        self.dense2 = nn.Linear(10, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.norm(self.conv1(x)))
        x = self.pool(functional.relu(self.conv2(x)))
        x = self.dropout(functional.relu(self.dense1(x.flatten(1))))
        return self.dense2(x)


def cnn() -> nn.Module:
    return _shaken(Cnn())


def without_running_statistics() -> nn.Module:
    model = Cnn()
    model.norm = nn.BatchNorm2d(8, track_running_stats=False)
    return model


class PooledByAFunction(Cnn):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.norm(self.conv1(x)))
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.dense2(functional.relu(self.dense1(torch.flatten(x, 1))))


def cnn_by_functions() -> nn.Module:
    return _shaken(PooledByAFunction())


def mlp() -> nn.Module:
    layers = nn.Linear(7, 12), nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 9), nn.LeakyReLU(), nn.Linear(9, 4)
    return _shaken(nn.Sequential(*layers))


def tanh_mlp() -> nn.Module:
    layers = nn.Linear(7, 12), nn.LayerNorm(12), nn.GELU(approximate="tanh"), nn.Linear(12, 9), nn.LeakyReLU()
    return _shaken(nn.Sequential(*layers, nn.Linear(9, 4)))


def without_bias() -> nn.Module:
    return nn.Sequential(nn.Linear(7, 12, bias=False), nn.ReLU(), nn.Linear(12, 4))


def with_bias() -> nn.Module:
    return nn.Sequential(nn.Linear(7, 12), nn.ReLU(), nn.Linear(12, 4))


def autoencoder() -> nn.Module:
    down = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*down, nn.ConvTranspose2d(8, 4, 2, stride=2), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1))


def returns_a_dictionary() -> nn.Module:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(7, 4)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.dense(x)}

    return Two()


def needs_arguments(units: int) -> nn.Module:
    return nn.Linear(7, units)


def never_ends() -> nn.Module:
    while True:
        pass


def leaves() -> nn.Module:
    raise SystemExit(3)


def prints() -> nn.Module:
    print('{"event": "reply", "status": "ok"}')
    return with_bias()


def no_model() -> int:
    return 7


def of_another_shape() -> nn.Module:
    return nn.Linear(5, 4)
