"""Photographs of digits are cut out through grain and uneven light, or doubted, or refused."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from compare.models.digits import read_digit
from compare.models.png import ImageError
from tasks.mnist import read_digits
from tests.models.photographs import SIDE, clean, on_paper, photograph, save


def nearest(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the most alike of 6,000 digits are: as good as a small network, and without training."""
    digits = read_digits()
    known = digits["x_train"][:6000].reshape(6000, -1).astype(np.float32)
    given = pixels.reshape(len(pixels), -1).astype(np.float32)
    known, given = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (known, given))
    return np.asarray(digits["y_train"][(given @ known.T).argmax(axis=1)])


@pytest.mark.parametrize(
    ("conditions", "light_ink"), [((6.0, 90.0), False), ((6.0, 0.0), False), ((0.0, 90.0), False), ((12.0, 60.0), True)]
)
def test_photographs_are_answered_as_clean_pictures_are(
    conditions: tuple[float, float], light_ink: bool, tmp_path: Path
) -> None:
    digits = read_digits()
    sheets = [on_paper(digit) for digit in digits["x_test"][:10]]
    pictures = [photograph(sheet, seed, *conditions) for seed, sheet in enumerate(sheets)]
    if light_ink:
        pictures = [255 - picture for picture in pictures]
    found = [read_digit(path) for path in save(tmp_path, pictures)]
    expected = [read_digit(path) for path in save(tmp_path, [clean(sheet) for sheet in sheets])]
    alike = [np.corrcoef(a.pixels.ravel(), b.pixels.ravel())[0, 1] for a, b in zip(found, expected, strict=True)]
    assert np.median(alike) > 0.95
    answers, clean_answers = (nearest(np.array([one.pixels for one in list_])) for list_ in (found, expected))
    right = int((answers == digits["y_test"][:10]).sum())
    assert right >= int((clean_answers == digits["y_test"][:10]).sum())
    assert right >= 9
    assert all("grain and uneven light taken out" in one.done for one in found)
    assert sum("IN DOUBT" in " ".join(one.done) for one in found) <= 1


def test_an_uncertain_cut_is_doubted(tmp_path: Path) -> None:
    one, two = read_digits()["x_test"][:2]
    both = on_paper(one, place=(50, 20)) + on_paper(two, place=(300, 320))
    cut_off = on_paper(one, 300, (200, 200))[:, :330]
    for sheet, grain, doubt in (
        (both, 6, "2 separate marks are taken for one digit"),
        (cut_off, 6, "it reaches the edge of the picture"),
        (0.3 * on_paper(one), 40, "the ink hardly stands out from the paper"),
    ):
        (path,) = save(tmp_path, [photograph(sheet, 0, grain)])
        assert f"IN DOUBT: {doubt}" in read_digit(path).done


def test_dust_and_the_edge_of_the_table_are_left_out(tmp_path: Path) -> None:
    sheet = on_paper(read_digits()["x_test"][0])
    (path,) = save(tmp_path, [photograph(sheet, 0)])
    plain = read_digit(path)
    sheet[500:506, 500:506] = 1
    sheet[:, :12] = 1
    (path,) = save(tmp_path, [photograph(sheet, 0)])
    found = read_digit(path)
    assert np.corrcoef(plain.pixels.ravel(), found.pixels.ravel())[0, 1] > 0.95


def test_blank_paper_is_refused(tmp_path: Path) -> None:
    for seed in range(5):
        for grain, fall in ((6, 90), (1, 90), (20, 0), (0, 90)):
            (path,) = save(tmp_path, [photograph(np.zeros((SIDE, SIDE), np.float32), seed, grain, fall)])
            with pytest.raises(ImageError, match="no digit to be seen"):
                read_digit(path)


def test_odd_sizes_are_answered_or_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for shape in ((1, 1), (1, 50), (50, 1), (2, 2), (4096, 3), (28, 28), (401, 399)):
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(tmp_path / "odd.png")
        try:
            assert read_digit(tmp_path / "odd.png").pixels.shape == (28, 28)
        except ImageError as error:
            assert "no digit to be seen" in str(error)  # noqa: PT017 - either will do
