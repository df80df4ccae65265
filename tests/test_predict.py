"""Saved models answer: the same in every framework, honestly about images, and with one line where they cannot."""

import io
import json
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import backends
import tasks
from backends.files import read_header, read_parameters, write_parameters
from compare import cli, models
from compare.digits import ImageError, _check, read_digit
from compare.models import AGREEMENT, Answers, open_model
from compare.results import read_results
from tasks.architecture import Parameters
from tasks.dataset import predicted_labels
from tasks.errors import SideBySideError
from tasks.mnist import read_digits
from tasks.task import Task
from tests.conftest import is_there
from tests.remote import RemoteBackend

Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, *arguments: str) -> str:
    """Runs a command that must be refused: status 2, nothing on stdout, and one line on stderr, which is returned."""
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    assert (status, out) == (cli.WRONG_WORDS, ""), err
    assert err.startswith("sidebyside: ")
    assert len(err.splitlines()) == 1, err
    return err


def asked(capsys: Capture, *arguments: str) -> Any:
    """The JSON that a command prints, which must go well."""
    status = cli.main([*arguments, "--json"])
    out, err = capsys.readouterr()
    assert status == cli.OK, err
    return json.loads(out)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of iris in the reference that keeps its model: the run's folder and the file."""
    folder = tmp_path_factory.mktemp("run")
    words = ["run", "iris-mlp", "--backend", "numpy", "--save-models", "--no-certify", "--output", str(folder)]
    assert cli.main(words) == cli.OK
    (file,) = (folder / "models").iterdir()
    return folder, file


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """The file of an untrained mnist-mlp."""
    path = tmp_path / "drawn.safetensors"
    write_parameters(path, tasks.load_task("mnist-mlp").parameters(0))
    return path


# Files that know their task


def test_a_saved_model_knows_what_it_is_and_no_path(saved: tuple[Path, Path]) -> None:
    folder, file = saved
    facts = {"sidebyside": "1", "task": "iris-mlp", "recipe": "standard", "backend": "numpy", "seed": "0"}
    assert read_header(file).metadata == facts
    assert str(folder).encode() not in file.read_bytes()
    assert str(open_model(file)) == "iris-mlp, recipe standard, trained with numpy, seed 0"


@pytest.mark.parametrize("name", tasks.available_tasks())
def test_the_task_comes_from_the_file_the_words_or_the_shapes(name: str, tmp_path: Path) -> None:
    path, parameters = tmp_path / "model.safetensors", tasks.load_task(name).parameters(0)
    write_parameters(path, parameters)
    assert open_model(path).task == tasks.load_task(name)
    for recipe in tasks.available_recipes(name):
        assert open_model(path, recipe=recipe).task == tasks.load_task(name, recipe)
        write_parameters(tmp_path / "with.safetensors", parameters, {"task": name, "recipe": recipe})
        assert open_model(tmp_path / "with.safetensors").task == tasks.load_task(name, recipe)
        assert open_model(tmp_path / "with.safetensors", task=name).task.recipe_name == "standard"


@pytest.mark.parametrize("fact", ["../../iris-mlp", "no-such-task", "a" * 81, "iris-mlp\n"])
def test_a_strange_task_in_a_file_is_not_believed(fact: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_parameters(path, tasks.load_task("iris-mlp").parameters(0), {"task": fact, "recipe": fact})
    assert open_model(path).task == tasks.load_task("iris-mlp")


def test_equal_parameters_make_equal_files_which_the_library_reads(tmp_path: Path) -> None:
    from safetensors import safe_open

    parameters = tasks.load_task("mnist-dense").parameters(3)
    for name in ("a", "b"):
        write_parameters(tmp_path / name, parameters, {"task": "mnist-dense", "seed": "3"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with safe_open(tmp_path / "a", "np") as file:
        assert file.metadata() == {"sidebyside": "1", "task": "mnist-dense", "seed": "3"}
        assert {name: file.get_tensor(name).tobytes() for name in file.keys()} == {  # noqa: SIM118 - no dictionary
            name: array.tobytes() for name, array in parameters.items()
        }


# Answers


def test_iris_is_answered_by_every_installed_backend(saved: tuple[Path, Path], capsys: Capture) -> None:
    installed = [name for name in backends.framework_backends() if is_there(name)]
    words = ["predict", "--model", str(saved[1]), "6.6", "3.2", "5.8", "2.4", "--backend", "numpy", *installed]
    found = asked(capsys, *words)
    (answer,) = found["inputs"]
    assert set(answer["answers"]) == {"numpy", *installed}
    assert found["agree"] is (True if installed else None)
    assert found["largest_difference"] <= 1e-6
    logits = reference_logits(saved[1], np.array([[6.6, 3.2, 5.8, 2.4]], np.float32))[0]
    for one in answer["answers"].values():
        assert one["answer"] == "virginica"
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert np.allclose(one["outputs"], logits, rtol=1e-5, atol=1e-5)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert list(answer["answers"]["numpy"]["probabilities"].values()) == pytest.approx(expected.tolist())


def test_the_table_for_people(saved: tuple[Path, Path], capsys: Capture) -> None:
    assert cli.main(["predict", "--model", str(saved[1]), "6.6", "3.2", "5.8", "2.4", "--backend", "numpy"]) == cli.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "iris-mlp, recipe standard, trained with numpy, seed 0",
        "6.6 3.2 5.8 2.4",
        "  backend  answer     setosa versicolor virginica",
    ]
    assert lines[3].split()[:2] == ["numpy", "virginica"]
    assert lines[4] == "one backend alone: there is nothing to compare it with"


def test_the_test_set_gives_the_accuracy_of_the_run(saved: tuple[Path, Path], capsys: Capture) -> None:
    (run,) = read_results(saved[0]).runs
    found = asked(capsys, "predict", "--model", str(saved[1]), "--test-set", "--backend", "numpy")
    assert (found["test_examples"], found["accuracy"]) == (60, {"numpy": run.accuracy})
    assert cli.main(["predict", "--model", str(saved[1]), "--test-set", "--backend", "numpy"]) == cli.OK
    assert f"{run.accuracy:.4f}" in capsys.readouterr().out


def test_digits_are_answered_from_files(drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    images = read_digits()["x_test"][:2]
    for index, image in enumerate(images):
        Image.fromarray(image if index else 255 - image).save(tmp_path / f"{index}.png")
    found = asked(
        capsys, "predict", "--model", str(drawn), str(tmp_path / "0.png"), str(tmp_path / "1.png"), "--backend", "numpy"
    )
    task = tasks.load_task("mnist-mlp")
    assert task.prepare is not None
    logits = reference_logits(drawn, task.prepare(images))
    for index, answer in enumerate(found["inputs"]):
        assert answer["answers"]["numpy"]["outputs"] == pytest.approx(logits[index].tolist())
        assert answer["answers"]["numpy"]["answer"] == str(logits[index].argmax())
    assert found["inputs"][0]["done"][0].startswith("inverted")
    assert not found["inputs"][1]["done"][0].startswith("inverted")
    assert cli.main(["predict", "--model", str(drawn), str(tmp_path / "0.png"), "--backend", "numpy"]) == cli.OK
    out = capsys.readouterr().out
    assert f"{tmp_path / '0.png'}: inverted (it was dark on light); neither cut out nor resized" in out
    assert all(len(line) < 80 for line in out.splitlines() if line.startswith("  "))


def test_and_gate_is_answered(tmp_path: Path, capsys: Capture) -> None:
    parameters = {"0_dense/kernel": np.full((2, 1), 9, np.float32), "0_dense/bias": np.array([-12], np.float32)}
    write_parameters(tmp_path / "m.safetensors", parameters)
    for words, expected in ((("1", "1"), "true"), (("1", "-0"), "false")):
        found = asked(capsys, "predict", "--model", str(tmp_path / "m.safetensors"), *words, "--backend", "numpy")
        one = found["inputs"][0]["answers"]["numpy"]
        assert one["answer"] == expected
        assert sum(one["probabilities"].values()) == pytest.approx(1)


def reference_logits(path: Path, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
    task = open_model(path).task
    return backends.load_backend("numpy").build(task, read_parameters(path, task.architecture)).logits(inputs)


def answers_of(task: Task, **outputs: list[list[float]]) -> Answers:
    return Answers(task, {name: np.array(values, np.float32) for name, values in outputs.items()}, {})


def test_a_softmax_is_not_taken_twice() -> None:
    outputs = [[0.7, 0.2, 0.1]]
    as_written = answers_of(tasks.load_task("iris-mlp", "as-written"), jax=outputs)
    assert as_written.probabilities("jax")[0].tolist() == pytest.approx(outputs[0])
    standard = answers_of(tasks.load_task("iris-mlp"), jax=outputs)
    assert standard.probabilities("jax")[0].tolist() == pytest.approx([0.4640, 0.2814, 0.2546], abs=1e-4)
    assert answers_of(tasks.load_task("and-gate"), jax=[[0.25]]).probabilities("jax")[0].tolist() == [0.75, 0.25]


def test_backends_agree_within_a_hundred_thousandth_and_by_their_answers() -> None:
    task = tasks.load_task("iris-mlp")
    assert answers_of(task, pytorch=[[10, 0, 1]]).agree is None
    assert answers_of(task, pytorch=[[10, 0, 1]], jax=[[10, 0, 1.00009]]).agree
    assert answers_of(task, pytorch=[[10, 0, 1]], jax=[[10, 0, 1.0002]]).agree is False
    tie = answers_of(task, pytorch=[[1, 1.000001, 0]], keras=[[1.000001, 1, 0]])
    assert tie.distance < AGREEMENT
    assert tie.agree is False
    assert tie.verdict.startswith("pytorch and keras DISAGREE: 1 different answers")
    assert answers_of(task, pytorch=[[0, 0, 0]], jax=[[0, 0, 0]]).verdict.endswith("the same answers, equal outputs")


def test_disagreement_and_failure_are_told_with_status_1(
    saved: tuple[Path, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(job: str, backend: str, task: Task, model: Path, output: Path, **more: str) -> None:
        if backend == "jax":
            raise SideBySideError("jax: broken")
        np.save(output, np.array([[0, 0, 1 if backend == "keras" else 1.1]], np.float32))

    monkeypatch.setattr(models, "_work", work)
    monkeypatch.setattr(backends, "missing", lambda name: None)
    words = ["predict", "--model", str(saved[1]), "1", "2", "3", "4", "--backend"]
    assert cli.main([*words, "pytorch", "keras"]) == cli.FAILED
    assert "pytorch and keras DISAGREE" in capsys.readouterr().out
    assert cli.main([*words, "jax", "keras"]) == cli.FAILED
    assert capsys.readouterr().err == "sidebyside: jax: broken\n"
    assert cli.main([*words, "jax"]) == cli.FAILED
    assert capsys.readouterr() == ("", "sidebyside: jax: broken\n")


def test_a_worker_that_fails_is_a_line(tmp_path: Path, capsys: Capture) -> None:
    """Finite parameters whose outputs are not: the backend says so, and no traceback is seen."""
    parameters = {k: np.full_like(v, 1e38) for k, v in tasks.load_task("iris-mlp").parameters(0).items()}
    write_parameters(tmp_path / "m.safetensors", parameters)
    words = ["predict", "--model", str(tmp_path / "m.safetensors"), "1", "2", "3", "4", "--backend", "numpy"]
    assert cli.main(words) == cli.FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "an output holds values that are not finite" in err


# Wrong words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "name the 4 numbers that iris-mlp takes, or --test-set"),
        (("1", "2", "3"), "name the 4 numbers that iris-mlp takes, finite ones; 3 were given"),
        (("1", "2", "3", "4", "5"), "5 were given"),
        (("1", "2", "3", "four"), "could not convert string to float: 'four'"),
        (("1", "2", "3", "nan"), "finite ones"),
        (("1", "2", "3", "1e300"), "finite ones"),
        (("1", "2", "3", "4", "--test-set"), "or --test-set"),
        (("1", "2", "3", "4", "--data", "x.npz"), "--data goes with --test-set"),
        (("--test-set", "--data", "x.npz"), "--data is for the mnist tasks"),
        (("--task", "mnist-mlp", "--test-set"), "has no tensor '1_dense/kernel'"),
        (("--task", "iris", "--test-set"), "unknown task 'iris': did you mean iris-mlp? choose from"),
        (("--task", "mnist-cnn", "--recipe", "as-written", "--test-set"), "unknown recipe of mnist-cnn"),
        (("--test-set", "--backend", "theano"), "unknown backend 'theano'"),
    ],
)
def test_wrong_words_are_refused_in_a_line(
    words: tuple[str, ...], text: str, saved: tuple[Path, Path], capsys: Capture
) -> None:
    assert text in refused(capsys, "predict", "--model", str(saved[1]), *words)


def test_missing_frameworks_are_named(
    saved: tuple[Path, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "missing", lambda name: None if name == "numpy" else f"install {name}")
    words = ["predict", "--model", str(saved[1]), "1", "2", "3", "4"]
    assert refused(capsys, *words) == "sidebyside: install pytorch; install keras; install jax\n"
    assert cli.main([*words, "--backend", "numpy", "keras"]) == cli.OK
    assert capsys.readouterr().err == "sidebyside: left out: install keras\n"


# Pictures of digits


def png(tmp_path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    path = tmp_path / "digit.png"
    Image.fromarray(pixels).save(path, **options)
    return path


def blown_up(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A digit of MNIST's in the corner of a large dark picture."""
    canvas = np.zeros((300, 400), np.uint8)
    canvas[80:220, 240:380] = np.asarray(Image.fromarray(digit).resize((140, 140), Image.Resampling.BICUBIC))
    return canvas


def test_mnists_own_digits_are_left_as_they_are(tmp_path: Path) -> None:
    for digit in read_digits()["x_test"][:50]:
        for pixels in (digit, 255 - digit):
            assert np.array_equal(read_digit(png(tmp_path, pixels)).pixels, digit)


def test_large_pictures_come_back_as_mnist_would_have_them(tmp_path: Path) -> None:
    digits = read_digits()["x_test"][:100]
    found = [read_digit(png(tmp_path, 255 - blown_up(digit))) for digit in digits]
    alike = [np.corrcoef(digit.ravel(), one.pixels.ravel())[0, 1] for digit, one in zip(digits, found, strict=True)]
    assert np.median(alike) > 0.95
    assert min(alike) > 0.6  # where the centre is rounded the other way, all is one pixel off
    for one in found:
        assert one.pixels.shape == (28, 28)
        rows, columns = np.flatnonzero(one.pixels.max(axis=1)), np.flatnonzero(one.pixels.max(axis=0))
        assert 19 <= max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 <= 20
    assert [step.partition(" (")[0] for step in found[0].done] == [
        "inverted",
        "cut out",
        "resized to 16x20",
        "centred by its mass in 28x28",
    ]


def test_all_kinds_of_png_mean_the_same(tmp_path: Path) -> None:
    grey = blown_up(read_digits()["x_test"][0])
    plain = read_digit(png(tmp_path, grey)).pixels
    colour = np.stack([grey] * 3, axis=-1)
    opaque = np.full_like(grey, 255)
    black, white = (np.stack([np.full_like(grey, ink)] * 3 + [grey], axis=-1) for ink in (0, 255))
    glass = np.concatenate([255 - colour, np.where(grey > 0, 255, 254)[..., None].astype(np.uint8)], axis=-1)
    for pixels, said in (
        (colour, "converted to grey"),
        (np.concatenate([colour, opaque[..., None]], axis=-1), "laid on white where it is transparent"),
        (glass, "laid on white where it is transparent"),
        (black, "its opacity taken as ink: it is of one colour, on nothing"),
        (white, "its opacity taken as ink: it is of one colour, on nothing"),
        (grey.astype(np.uint16) * 257, "16 bits made 8"),
    ):
        digit = read_digit(png(tmp_path, pixels))
        assert said in digit.done
        assert np.abs(digit.pixels.astype(int) - plain).max() <= 1
    palette = Image.fromarray(colour).quantize(256)
    palette.save(tmp_path / "palette.png")
    assert np.abs(read_digit(tmp_path / "palette.png").pixels.astype(int) - plain).max() <= 32
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    assert np.corrcoef(read_digit(tmp_path / "bits.png").pixels.ravel(), plain.ravel())[0, 1] > 0.8
    frames = [Image.fromarray(grey), Image.fromarray(255 - grey)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_digit(tmp_path / "moving.png").pixels, plain)
    assert read_digit(tmp_path / "moving.png").done[0] == "the first of 2 frames taken"


def test_faint_pictures_are_stretched_and_that_is_said(tmp_path: Path) -> None:
    grey = blown_up(read_digits()["x_test"][0])
    digit = read_digit(png(tmp_path, (100 + grey * 0.3).astype(np.uint8)))
    assert "contrast stretched from 100-176 to 0-255" in digit.done
    assert digit.pixels.max() >= 250


def header_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file of any claimed size, with correct checksums."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def cut_short() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()[:5000]


def two_headers() -> bytes:
    """A picture that says 28x28 and then 4000x4000."""
    one, two = header_of(28, 28, b"\0" * 29 * 28), header_of(4000, 4000, b"\0" * 4001 * 4000)
    return one[:33] + two[8:]


def short_of_pixels() -> bytes:
    """Well formed, but the lower half is missing: the bytes end where they please."""
    rows = np.random.default_rng(0).integers(0, 256, (280, 281), np.uint8)
    rows[:, 0] = 0  # no filter
    return header_of(280, 280, rows[:140].tobytes())


BAD_PICTURES = {
    "two headers": (two_headers(), "a damaged PNG file"),
    "short of pixels": (short_of_pixels(), "a damaged PNG file"),
    "bomb": (header_of(60_000, 60_000), "too large with 60000x60000 pixels; 4096x4096 are the most"),
    "ribbon": (header_of(5000, 1), "too large with 5000x1 pixels"),
    "no size": (header_of(0, 28), "too large with 0x28 pixels"),
    "cut short": (cut_short(), "a damaged PNG file"),
    "bad checksum": (header_of(28, 28)[:-20] + bytes(20), "a damaged PNG file"),
    "blank": (header_of(28, 28, b"\0" * 29 * 28), "no digit to be seen: ink and ground differ by 0 of 255"),
    "jpeg": (jpeg(), "not a PNG file"),
    "empty": (b"", "not a PNG file"),
    "half a head": (header_of(28, 28)[:20], "not a PNG file"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_bad_pictures_are_refused_in_a_line(name: str, drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    content, text = BAD_PICTURES[name]
    (tmp_path / "bad.png").write_bytes(content)
    assert text in refused(capsys, "predict", "--model", str(drawn), str(tmp_path / "bad.png"))


@pytest.mark.parametrize("kind", [(8, 0), (1, 0), (4, 3), (8, 2), (16, 4), (16, 6)])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 30), (30, 5), (33, 29)])
def test_pixels_are_counted_for_every_kind_of_png(
    kind: tuple[int, int], width: int, height: int, tmp_path: Path
) -> None:
    """By Adam7's definition: what lies where in a square of eight, one pass after another."""
    depth, colours = kind
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    square = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")
    for interlaced in (0, 1):
        size = 0
        for number in "1234567" if interlaced else "0":
            seen = [[not interlaced or square[y % 8][x % 8] == number for x in range(width)] for y in range(height)]
            size += sum(1 + (sum(row) * bits + 7) // 8 for row in seen if any(row))
        for missing in (0, 1):
            content = bytearray(header_of(width, height, bytes(size - missing)))
            content[24:29] = depth, colours, 0, 0, interlaced
            if missing:
                with pytest.raises(ValueError, match="too few pixels"):
                    _check(tmp_path, bytes(content))
            else:
                assert _check(tmp_path, bytes(content)) == (width, height)


def test_what_is_no_file_is_refused(drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    for path in (tmp_path, tmp_path / "none.png", Path("a\0b")):
        assert "name PNG files of digits" in refused(capsys, "predict", "--model", str(drawn), str(path))


def test_a_name_that_is_no_text_is_printed(drawn: Path, tmp_path: Path) -> None:
    name = tmp_path / "\udcff.png"
    try:
        Image.fromarray(read_digits()["x_test"][0]).save(name)
    except OSError:
        pytest.skip("such a name is impossible here")
    words = [sys.executable, "-m", "compare", "predict", "--model", drawn, name, "--backend", "numpy"]
    done = subprocess.run(words, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, check=False)
    assert (done.returncode, done.stderr) == (cli.OK, b"")
    assert rb"\udcff.png: neither cut out" in done.stdout


def drawn_with(pen: int) -> NDArray[np.uint8]:
    """A seven of 1000x1000 pixels."""
    image = Image.new("L", (1000, 1000), 255)
    ImageDraw.Draw(image).line([(200, 100), (800, 100), (350, 900)], fill=0, width=pen)
    return np.asarray(image)


def test_thin_strokes_are_strengthened_or_refused(tmp_path: Path) -> None:
    thin, thick = (read_digit(png(tmp_path, drawn_with(pen))) for pen in (5, 80))
    assert any(re.fullmatch(r"thin strokes strengthened \(from \d\d to 255\)", step) for step in thin.done), thin.done
    assert not any(step.startswith("thin") for step in thick.done)
    assert thin.pixels.max() == thick.pixels.max() == 255
    two_dots = np.zeros((4096, 4096), np.uint8)
    two_dots[0, 0] = two_dots[-1, -1] = 255
    for pixels in (drawn_with(1), two_dots):
        with pytest.raises(ImageError, match="draw it with a thicker pen"):
            read_digit(png(tmp_path, pixels))


def test_blank_pictures_are_refused_whatever_their_grey(tmp_path: Path) -> None:
    for value in (0, 100, 255):
        with pytest.raises(ImageError, match="no digit to be seen"):
            read_digit(png(tmp_path, np.full((50, 60), value, np.uint8)))


# The cross table


def evaluate(
    trained: dict[str, Parameters], remotes: dict[str, RemoteBackend], task: Task
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """For each that trained: the accuracy in each that evaluates, and how far the logits lie apart."""
    dataset = task.load(None)
    table, distances = {}, {}
    for name, parameters in trained.items():
        outputs = {
            other: remote.build(task, parameters).logits(dataset.test_inputs) for other, remote in remotes.items()
        }
        table[name] = {
            other: float((predicted_labels(values) == dataset.test_labels).mean()) for other, values in outputs.items()
        }
        distances[name] = Answers(task, outputs, {}).distance
    return table, distances


@pytest.fixture(scope="module")
def iris_trained_everywhere(
    every_remote: dict[str, RemoteBackend], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Parameters]:
    """Trained in each framework, through a file that it wrote."""
    task, folder = tasks.load_task("iris-mlp"), tmp_path_factory.mktemp("models")
    dataset, trained = task.load(None), {}
    for name, remote in every_remote.items():
        remote.build(task, task.parameters(0))
        remote.place(dataset)
        remote.train(task.batches(len(dataset.train_labels), 0))
        remote.call("save", folder / f"{name}.safetensors")
        trained[name] = read_parameters(folder / f"{name}.safetensors", task.architecture)
    return trained


def test_trained_in_each_and_evaluated_in_each(
    every_remote: dict[str, RemoteBackend], iris_trained_everywhere: dict[str, Parameters]
) -> None:
    table, distances = evaluate(iris_trained_everywhere, every_remote, tasks.load_task("iris-mlp"))
    for name, row in table.items():
        assert len(set(row.values())) == 1, table
        assert row[name] > 0.9
        assert distances[name] <= AGREEMENT


def test_the_cross_table_sees_one_weight_that_is_off(
    every_remote: dict[str, RemoteBackend], iris_trained_everywhere: dict[str, Parameters]
) -> None:
    """The twin of the test above."""
    if len(every_remote) < 2:
        pytest.skip("needs two frameworks")
    task, dataset = tasks.load_task("iris-mlp"), tasks.load_task("iris-mlp").load(None)
    first, second = list(every_remote)[:2]
    right = iris_trained_everywhere[first]
    kernel = right["4_dense/kernel"].copy()
    kernel.flat[np.abs(kernel).argmax()] *= 1.001
    outputs = {
        first: every_remote[first].build(task, right).logits(dataset.test_inputs),
        second: every_remote[second].build(task, {**right, "4_dense/kernel": kernel}).logits(dataset.test_inputs),
    }
    assert Answers(task, outputs, {}).distance > AGREEMENT
    assert Answers(task, outputs, {}).agree is False


@pytest.mark.slow
def test_the_cross_table_of_the_convolutional_network(tmp_path: Path, capsys: Capture) -> None:
    """By the command line alone: nine accuracies, the same along each row."""
    names = [name for name in backends.framework_backends() if is_there(name)]
    run = tmp_path / "run"
    words = ["run", "mnist-cnn", "--epochs", "1", "--save-models", "--no-certify", "--output", str(run), "--backend"]
    assert cli.main([*words, *names]) == cli.OK
    capsys.readouterr()
    files = {read_header(path).metadata["backend"]: path for path in sorted((run / "models").iterdir())}
    assert set(files) == set(names)
    trained = {one.backend: one.accuracy for one in read_results(run).runs}
    lines = []
    for name, path in files.items():
        found = asked(capsys, "predict", "--model", str(path), "--test-set", "--backend", *names)
        assert found["accuracy"] == dict.fromkeys(names, trained[name])
        assert found["largest_difference"] <= AGREEMENT
        lines.append(f"{name}: {found['accuracy']} {found['largest_difference']:.1e}")
    with capsys.disabled():
        print("", *lines, sep="\n")
