"""The arithmetic in which layers compute, and its place in the name of a recipe."""

from typing import Literal, TypeAlias, get_args

Arithmetic: TypeAlias = Literal["float32", "tf32", "bfloat16"]
ARITHMETICS: tuple[Arithmetic, ...] = get_args(Arithmetic)


def split_recipe(name: str) -> tuple[str, Arithmetic]:
    """The recipe and the arithmetic in a name: ``standard`` and ``bfloat16`` in ``standard-bfloat16``."""
    for arithmetic in ARITHMETICS:
        if name.endswith(f"-{arithmetic}"):
            return name.removesuffix(f"-{arithmetic}"), arithmetic
    return name, "float32"


def with_arithmetic(recipe: str, arithmetic: str) -> str:
    """The name of a recipe in an arithmetic, as :func:`split_recipe` parts it again."""
    return recipe if arithmetic == "float32" else f"{recipe}-{arithmetic}"
