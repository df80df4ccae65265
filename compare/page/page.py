"""Web pages from templates. A page needs nothing but itself: no script, no request."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"


def read_style(name: str) -> str:
    """The style sheet with this file name, from the templates' folder."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def render_page(
    template: str, style: str, values: Mapping[str, Any], finalize: Callable[[Any], Any] | None = None
) -> str:
    """Renders a template, in which all text is escaped.

    Args:
        template: its file name.
        style: our own CSS; it reaches the page unchanged, because the page's security policy allows it by its hash.
        values: what the template uses: values and functions, by name.
        finalize: called with every value before it is written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template, globals={"style": Markup(style), "style_hash": style_hash}).render(values)
