"""Photographs of digits on paper, as a telephone takes them: grain, uneven light, blank paper around."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 560


def on_paper(digit: NDArray[np.uint8], size: int = 200, place: tuple[int, int] = (150, 190)) -> NDArray[np.float32]:
    """MNIST's digit, from 0 to 1, somewhere on a large sheet."""
    large = np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC), np.float32)
    sheet = np.zeros((SIDE, SIDE), np.float32)
    sheet[place[0] : place[0] + size, place[1] : place[1] + size] = large / 255
    return sheet


def photograph(sheet: NDArray[np.float32], seed: int, grain: float = 6, fall: float = 90) -> NDArray[np.uint8]:
    """Dark ink on light paper, lit from one side.

    Args:
        sheet: the ink, from 0 to 1.
        seed: draws the grain and the side from which the light comes.
        grain: its standard deviation, of 255.
        fall: by how much the light falls from one corner to the other, of 255.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.meshgrid(*(np.linspace(0, 1, side) for side in sheet.shape), indexing="ij")
    angle = random.uniform(0, 2 * np.pi)
    along = (rows - 0.5) * np.sin(angle) + (columns - 0.5) * np.cos(angle)
    light = 225 - fall * (along + 0.7 * along**2)
    seen = light * (1 - 0.75 * sheet) + random.normal(0, grain, sheet.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def clean(sheet: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The same without grain and in even light."""
    return np.rint(255 - 255 * sheet.clip(0, 1)).astype(np.uint8)


def save(folder: Path, pictures: Sequence[NDArray[np.uint8]]) -> list[Path]:
    """Writes PNG files."""
    paths = [folder / f"{index}.png" for index in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    return paths
