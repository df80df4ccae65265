"""Photographs of a digit on paper: grain and uneven light are taken out, the digit is told from what lies around."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
_WORKING_SIDE = 400  # a digit ends in 20 pixels; averaging what is larger takes most of the grain away
_LEAST_SIDE = 8  # smaller pictures are too few pixels to tell grain from ink
_LEAST_SEPARATION = 5.0
"""How far ink and paper must lie apart, in standard deviations of the paper. Of grain alone Otsu makes about 3."""
_DOUBTFUL_SEPARATION = 10.0
_SPECK = 0.03
"""Marks with less of the ink than this share of the largest are dust."""
_RIVAL = 0.3
"""A second mark with more than this share of the largest's ink may be another digit."""


@dataclass(frozen=True)
class Marks:
    """The ink of a photograph.

    Attributes:
        ink: from 0 for paper to 255, where the digit is and nowhere else.
        contrast: between ink and paper, of 255.
        dark: whether the ink is darker than the paper.
        doubt: why the cut may be wrong; empty where nothing speaks against it.
    """

    ink: NDArray[np.uint8]
    contrast: float
    dark: bool
    doubt: str


def is_photograph(grey: NDArray[np.uint8]) -> bool:
    """Whether a picture has grain or uneven light. A drawn one has neither: most neighbours are equal, and its edge."""
    values = grey.astype(np.int16)
    differences = [np.abs(np.diff(values, axis=axis)).ravel() for axis in (0, 1)]
    if min(grey.shape) < _LEAST_SIDE:
        return False
    grain = float(np.median(np.concatenate(differences)))
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    low, high = np.percentile(edge, (10, 90))
    return grain >= 1 or high - low >= 8


def find_marks(grey: NDArray[np.uint8]) -> Marks | None:
    """The ink of a photograph; None where no ink stands out from the grain of the paper."""
    from scipy import ndimage

    small = _reduced(grey)
    smooth: Image = ndimage.gaussian_filter(small, max(0.7, max(small.shape) / 250))
    residue = smooth - _light(smooth)
    dark = float(-np.percentile(residue, 0.5)) > float(np.percentile(residue, 99.5))
    ink: Image = -residue if dark else residue
    threshold = _otsu(ink)
    paper = ink[ink <= threshold]
    inked = ink[ink > threshold]
    if not len(inked) or not len(paper):
        return None
    contrast = float(np.median(inked) - np.median(paper))
    spread = 1.4826 * float(np.median(np.abs(paper - np.median(paper)))) or 1e-6
    separation = contrast / spread
    if separation < _LEAST_SEPARATION:
        return None
    kept, doubt = _digit_of(ink > threshold, ink)
    if separation < _DOUBTFUL_SEPARATION:
        doubt = "the ink hardly stands out from the paper"
    level = np.clip((ink - np.median(paper)) * (255 / contrast), 0, 255)
    level[~ndimage.binary_dilation(kept, iterations=2)] = 0
    level[level < 255 * 0.15] = 0
    return Marks(np.rint(level).astype(np.uint8), contrast, dark, doubt)


def _reduced(grey: NDArray[np.uint8]) -> Image:
    """The picture with a longer side of at most 400 pixels, each the mean of those that it stands for."""
    from PIL import Image as Pillow

    factor = -(-max(grey.shape) // _WORKING_SIDE)
    image: Any = Pillow.fromarray(grey.astype(np.float32))
    return np.asarray(image.reduce(factor) if factor > 1 else image, np.float32)


def _light(grey: Image) -> Image:
    """The paper as the light falls on it: a surface of the third degree through all that is not ink."""
    height, width = grey.shape
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([rows**i * columns**j for i, j in product(range(4), repeat=2) if i + j < 4], axis=-1)
    step = max(1, round((grey.size / 10_000) ** 0.5))
    sampled, values = terms[::step, ::step].reshape(-1, terms.shape[-1]), grey[::step, ::step].ravel()
    kept = np.abs(values - np.median(values)) <= 2 * np.std(values)
    for _ in range(10):
        factors = np.linalg.lstsq(sampled[kept], values[kept], rcond=None)[0]
        away = np.abs(values - sampled @ factors)
        kept = away <= max(2.5 * 1.4826 * float(np.median(away)), 1.0)
    light: Image = (terms @ factors).astype(np.float32)
    return light


def _otsu(values: Image) -> float:
    """The threshold that leaves the least variance on both of its sides."""
    counts, edges = np.histogram(values, 256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    sums = np.cumsum(counts * centres)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[int(np.nan_to_num(between).argmax()) + 1])


def _digit_of(mask: NDArray[np.bool_], ink: Image) -> tuple[NDArray[np.bool_], str]:
    """The marks that make up the digit: the largest within the picture, and others that are no dust; and the doubt."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    amounts = ndimage.sum_labels(ink, labels, np.arange(count + 1))
    amounts[0] = 0
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = amounts.copy()
    inside[edge] = 0
    doubt = ""
    if inside.max() < _RIVAL * amounts.max():
        if inside.max() >= _SPECK * amounts.max():
            doubt = "something larger reaches the edge of the picture"
        else:
            doubt, inside = "it reaches the edge of the picture", amounts
    largest = int(inside.argmax())
    marks = np.flatnonzero(inside >= _SPECK * inside[largest])
    rivals = np.flatnonzero(inside >= _RIVAL * inside[largest])
    if len(rivals) > 1 and not doubt:
        doubt = f"{len(rivals)} separate marks are taken for one digit"
    return np.isin(labels, marks), doubt
