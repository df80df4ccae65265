"""The loop of PyTorch's own tutorials: ``DataLoader``, torchvision transforms, an eager step, ``loss.item()``."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from backends.pytorch.model import Model
from backends.pytorch.network import _channels_first, variables
from backends.pytorch.training import (
    _canonical_state,
    _clip_gradients,
    _labels,
    _make_scheduler,
    _targets,
    make_optimizer,
)
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels, RawImages
from tasks.training import OptimizerState


class StockModel(Model):
    """Trains as a newcomer is told to: one Python step a batch."""

    def place(self, dataset: Dataset) -> None:
        """Makes a torch ``Dataset``: of 8-bit images that are normalised one by one, or of tensors."""
        self.dataset: TorchDataset[Any]
        if dataset.raw_images is not None:
            self.dataset = _DigitImages(dataset.raw_images, dataset.train_labels)
            self.settings["input"] = "8-bit images, each made a PIL image, a tensor and normalized when it is asked for"
        else:
            inputs = _channels_first(torch.from_numpy(dataset.train_inputs)).contiguous()
            self.dataset = TensorDataset(inputs, _targets(dataset.train_labels))
            self.settings["input"] = "tensors prepared beforehand, collated example by example"
        self.count = len(dataset.train_labels)

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """The inputs (n, *input_shape), images NHWC, and labels (n,), as a ``DataLoader`` gives them."""
        inputs, labels = next(iter(DataLoader(self.dataset, batch_size=self.count)))
        inputs = inputs.permute(0, 2, 3, 1) if inputs.ndim == 4 else inputs
        return inputs.numpy(), _labels(labels)

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as the batch sampler lists them."""
        orders = [list(_GivenOrder(batches, epoch)) for epoch in range(batches.epochs)]
        full = np.array([order[: batches.full_steps] for order in orders], np.int32)
        rest = np.array([order[-1] if batches.rest else [] for order in orders], np.int32)
        return Batches(full, rest)

    def start(self) -> None:
        """Makes torch's optimizer with fresh state."""
        self.settings |= {"compiled": "no: eager", "layout": "NCHW"}
        self.optimizer = make_optimizer(self.recipe, variables(self.network, self.recipe.architecture))
        self.scheduler = _make_scheduler(self.recipe, self.optimizer)

    def optimizer_state(self) -> OptimizerState:
        """The moments that torch keeps by parameter, and the count of steps, in the canonical form."""
        return _canonical_state(self.optimizer, self.scheduler, self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains batch by batch; returns the loss of every step, (epochs, steps)."""
        losses = []
        self.network.train()
        for epoch in range(batches.epochs):
            for inputs, labels in DataLoader(self.dataset, batch_sampler=_GivenOrder(batches, epoch)):
                inputs, labels = inputs.to(self.own_device), labels.to(self.own_device)
                self.optimizer.zero_grad()
                loss = self.loss(self._answer(inputs), labels)
                loss.backward()
                _clip_gradients(self.network, self.recipe)
                self.optimizer.step()
                if self.scheduler:
                    self.scheduler.step()
                losses.append(loss.item())
        return np.array(losses, np.float32).reshape(batches.epochs, batches.steps)


class _DigitImages(TorchDataset):
    """As ``torchvision.datasets.MNIST``: 8-bit images (n, height, width), each transformed when it is asked for."""

    def __init__(self, raw: RawImages, labels: Labels) -> None:
        self.data = torch.from_numpy(raw.images)
        self.targets = _targets(labels)
        self.transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.ToTensor(),
                transforms.Normalize((raw.mean,), (raw.std,)),
            ]
        )

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.data[index]), int(self.targets[index])


class _GivenOrder:
    """A batch sampler that follows the given batches of one epoch."""

    def __init__(self, batches: Batches, epoch: int) -> None:
        self.batches = [indices.tolist() for indices in batches.of_epoch(epoch)]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)
