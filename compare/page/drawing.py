"""Charts as SVG and PNG, by vl-convert: no browser, no script, no request. All charts share one theme.

A chart is rendered once, for light paper; :func:`dark` gives the same drawing the colours for dark paper.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#882255", "#117733", "#5e4fa2", "#8a6d00")
DARK = ("#56b4e9", "#ff9a56", "#2fd3a3", "#e69fd6", "#e88aa8", "#7bd389", "#b3a8f0", "#e0c060")
STEPS = ("#f3e3b3", "#d6b865", "#a9822f", "#6f5318", "#3d2c0a")
"""Of one hue from light to dark, for what is no framework."""
DARK_STEPS = ("#fff3cf", "#e6cd85", "#bd9a4c", "#8a6d2f", "#5c4718")
INK, FAINT = "#1f2328", "#d0d7df"
DARK_INK, DARK_FAINT = "#e6e6e7", "#444c57"
LARGEST_SVG = 500_000
"""Characters; a larger drawing goes into a page as PNG: the 16 digits of a lesson are 12,544 elements as SVG."""
COLORS, DARK_COLORS = (*LIGHT, *STEPS, INK, FAINT), (*DARK, *DARK_STEPS, DARK_INK, DARK_FAINT)
_MARK = re.compile(r'<path aria-label="([^"]*)"([^>]*?)/>')
"""A mark of the chart's data, with what Vega writes of its values."""
_UNSEEN = re.compile(r'<path (?![^>]*(?:fill|stroke)=)[^>]*(?:display="none"|class="background")[^>]*/>')
_TAG = re.compile(r"<[^>]*>")
_OF_OTHER_READERS = re.compile(r' (?:aria-[a-z]+|role|class|pointer-events)="[^"]*"')
_DEFAULTS = re.compile(
    r' (?:opacity="1"|stroke-width="1"|font-weight="normal"|text-anchor="start"|[xy]2="-?0"'
    r'|transform="translate\(0,0\)")'
)
"""Attributes whose value is the one that a drawing has without them."""
_GROUPS = re.compile(r"<g(?: [^>]*)?>|</g>")
_LONG = re.compile(r"\d+\.\d{2,}")
"""A place to more than a tenth of a pixel."""
_WORDS = {"labelColor": INK, "titleColor": INK}
THEME: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None, "continuousWidth": 440, "continuousHeight": 260},
    "axis": {
        **_WORDS, "domainColor": FAINT, "tickColor": FAINT, "gridColor": FAINT, "titleFontWeight": "normal",
        "labelFontSize": 13, "titleFontSize": 13, "labelLimit": 220, "titlePadding": 12,
    },
    "legend": {**_WORDS, "labelFontSize": 13, "titleFontWeight": "normal"},
    "title": {"color": INK, "fontWeight": "normal"},
    "header": _WORDS,
    "text": {"fill": INK},
    "line": {"stroke": LIGHT[0]},
    "range": {"category": LIGHT},
}  # fmt: skip
PADDING = {"left": 5, "top": 5, "right": 30, "bottom": 5}
"""Pixels around a chart that names no padding of its own. The reader's font may be wider than ours."""


@dataclass(frozen=True)
class Drawing:
    """A chart with its title and caption.

    Attributes:
        name: safe in a file name.
        title: a heading.
        caption: what is seen, and what was left out.
        chart: the Altair chart.
    """

    name: str
    title: str
    caption: str
    chart: Any

    def svg(self) -> str:
        return to_svg(self.chart)

    def png(self) -> bytes:
        """The chart on white paper, with two pixels for each of the SVG's."""
        return to_png(to_svg(self.chart, background="white"))


def to_svg(chart: Any, background: str = "transparent") -> str:
    """An Altair chart in the theme's light colours. A chart may configure its own legend, axes and padding."""
    import vl_convert

    specification: dict[str, Any] = chart.to_dict(validate=False)
    own = specification.get("config", {})
    layout = {part: THEME[part] | own.get(part, {}) for part in ("axis", "legend")}
    specification["config"] = THEME | layout | {"background": background}
    specification.setdefault("padding", PADDING)
    # The version of Vega-Lite that Altair wrote for, if vl-convert has it.
    version = re.search(r"/(v\d+\.\d+)", specification.get("$schema", ""))
    if version is None or version[1].removeprefix("v") not in vl_convert.get_vegalite_versions():
        return str(vl_convert.vegalite_to_svg(specification))
    return str(vl_convert.vegalite_to_svg(specification, vl_version=version[1]))


def to_png(svg: str) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=2))


def dark(svg: str) -> str:
    """The same chart for dark paper. Only colours change: text that reads like a colour is left alone."""
    inks = dict(zip(COLORS, DARK_COLORS, strict=True))
    return re.sub(r'(fill|stroke)="(#[0-9a-f]{6})"', lambda m: f'{m[1]}="{inks.get(m[2], m[2])}"', svg)


def inline(chart: Any, description: str) -> "Markup":
    """An Altair chart as an element of a page, which shows the values of a mark where the pointer is.

    Its colours are the page's: ``--chart-0`` and on, for light and for dark paper.

    Args:
        chart: what is drawn.
        description: for readers who cannot see it.
    """
    from markupsafe import Markup, escape

    svg = _MARK.sub(lambda mark: f"<path{mark[2]}><title>{mark[1]}</title></path>", to_svg(chart))
    svg = _compact(svg)
    own = hashlib.sha256(svg.encode()).hexdigest()[:8]  # so that what one drawing names is no other's
    svg = re.sub(r'( id="|url\(#)', rf"\g<1>chart-{own}-", svg)
    for number, color in enumerate(COLORS):
        svg = svg.replace(f'"{color}"', f'"var(--chart-{number})"')
    label = f'<svg class="chart" role="img" aria-label="{escape(description)}" '
    return Markup(svg.replace("<svg ", label, 1))


def color_rules() -> str:
    """The rules of a page's style for the colours of charts, on light and on dark paper."""

    def rules(colors: Sequence[str]) -> str:
        variables = " ".join(f"--chart-{number}: {color};" for number, color in enumerate(colors))
        return f":is(.sidebyside, #sidebyside) {{ {variables} }}"

    return f"{rules(COLORS)}\n@media screen and (prefers-color-scheme: dark) {{ {rules(DARK_COLORS)} }}\n"


def data_uris(chart: Any) -> tuple[str, str]:
    """An Altair chart as two data URIs, for light and for dark paper."""
    svg = _compact(to_svg(chart))
    return _data_uri(svg), _data_uri(dark(svg))


def _compact(svg: str) -> str:
    """The same picture in half the characters, without what neither shows on a page nor describes it there."""

    def shorter(tag: re.Match[str]) -> str:
        return _LONG.sub(tenth, _DEFAULTS.sub("", _OF_OTHER_READERS.sub("", tag[0])))

    def tenth(number: re.Match[str]) -> str:
        return f"{float(number[0]):.1f}".removesuffix(".0")

    font = f' font-family="{THEME["font"]}"'  # once, for all texts
    short = _TAG.sub(shorter, _UNSEEN.sub("", svg)).replace(font, "").replace("<svg", f"<svg{font}", 1)
    return _without_plain_groups(short)


def _without_plain_groups(svg: str) -> str:
    """The same picture without the groups that have no attribute, of which Vega writes several around each mark."""
    kept: list[bool] = []

    def keep(tag: re.Match[str]) -> str:
        if tag[0] != "</g>":
            kept.append(tag[0] != "<g>")
        shown = kept[-1]
        if tag[0] == "</g>":
            kept.pop()
        return tag[0] if shown else ""

    return _GROUPS.sub(keep, svg)


def _data_uri(svg: str) -> str:
    kind, content = ("svg+xml", svg.encode()) if len(svg) <= LARGEST_SVG else ("png", to_png(svg))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
