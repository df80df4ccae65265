"""What is wrong with a task's file, in one line: the place, what it must be, and what it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.errors import FieldError, choice

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_LONGEST = 60
"""The most characters of a wrong value that are shown."""
Way = list[int | str]
"""The keys and indices that lead to a place in a document."""


def describe(
    error: ValidationError,
    document: object,
    keys: Mapping[str, Sequence[str]],
    types: Mapping[str, Sequence[str]],
    place: str = "",
) -> str:
    """The first thing that is wrong: ``layers[3].units: must be at least 1, not 0``.

    Args:
        error: of reading the document.
        document: as it was given.
        keys: the keys that a table may have, by the name of its form.
        types: the forms that a table may have, by the key at which it stands.
        place: where the document stands in a larger one: ``recipes.as-written``.
    """
    first = _first(error.errors(include_url=False))
    kind, context = first["type"], first.get("ctx", {})
    way = _way(first["loc"], document, new=kind in ("missing", "extra_forbidden"))
    cause = context.get("error")
    if isinstance(cause, FieldError):
        way, what = [*way, *filter(None, [cause.field])], cause.rule
    elif kind == "missing":
        what = "is missing"
        if isinstance(way[-1], int):
            way, what = way[:-1], f"must be a longer list than one of {way[-1]}"
    elif kind == "extra_forbidden":
        form = next((str(step) for step in reversed(first["loc"][:-1]) if step in keys), "")
        way, what = way[:-1], f"has no key {way[-1]!r}: {choice(str(way[-1]), keys.get(form, ()))}"
    elif kind == "union_tag_not_found":
        at = next((str(step) for step in reversed(way) if step in types), "")
        way, what = [*way, context["discriminator"].strip("'")], f"is missing: {choice('', types.get(at, ()))}"
    elif kind == "union_tag_invalid":
        way = [*way, context["discriminator"].strip("'")]
        what = f"unknown: {context['tag']!r}; {choice(str(context['tag']), _names(context['expected_tags']))}"
    else:
        what = f"must be {_rule(first, context)}, not {shown(first['input'])}"
    return f"{_text(place, way)}: {what}"


def shown(value: object) -> str:
    """A wrong value as a person would write it, shortened."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _first(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """The first error; where a key is missing, before that one that is too many in the same table: it is misspelt."""
    first = errors[0]
    extra = [e for e in errors if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1]]
    return extra[0] if extra and first["type"] == "missing" else first


def _way(location: Sequence[int | str], document: object, *, new: bool) -> Way:
    """The way to a place in the document: a location without the names of the forms that were tried.

    Args:
        location: of an error.
        document: as it was given.
        new: whether the last step may lead to what the document does not have.
    """
    way: Way = []
    for at, step in enumerate(location, 1):
        if isinstance(document, Mapping) and (step in document or (new and at == len(location))):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int):
            document = document[step] if step < len(document) else None
        else:
            continue
        way.append(step)
    return way


def _text(place: str, way: Sequence[int | str]) -> str:
    text = place
    for step in way:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the file"


def _names(listed: str) -> tuple[str, ...]:
    """Names out of a list in words: ``'a', 'b' or 'c'``."""
    return tuple(name.strip("' ") for name in listed.replace(" or ", ", ").split(","))


def _rule(error: ErrorDetails, context: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{words} {context[key]:g}"
    if kind == "too_long":
        return f"a list of {context['max_length']}"
    if kind == "too_short":
        return f"a list of at least {context['min_length']}"
    if kind == "literal_error":
        return str(context["expected"])
    return _KINDS.get(kind) or error["msg"].removeprefix("Input should be ")
