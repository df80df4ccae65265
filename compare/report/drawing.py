"""One chart as SVG and as PNG, by vl-convert: no browser, no script, no request.

A chart is rendered once, for light paper; :func:`dark` gives the same drawing other inks.
"""

import re
from dataclasses import dataclass
from typing import Any

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#882255", "#117733", "#5e4fa2", "#8a6d00")
DARK = ("#56b4e9", "#ff9a56", "#2fd3a3", "#e69fd6", "#e88aa8", "#7bd389", "#b3a8f0", "#e0c060")
INK, FAINT = "#1f2328", "#d0d7df"
DARK_INK, DARK_FAINT = "#e6e6e7", "#444c57"


@dataclass(frozen=True)
class Drawing:
    """A chart and what is said of it.

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
        import vl_convert

        specification = self._specification()
        return str(vl_convert.vegalite_to_svg(specification, **_version(specification)))

    def png(self) -> bytes:
        import vl_convert

        specification = self._specification()
        specification["config"]["background"] = "white"
        return bytes(vl_convert.vegalite_to_png(specification, scale=2, **_version(specification)))

    def _specification(self) -> dict[str, Any]:
        specification: dict[str, Any] = self.chart.to_dict(validate=False)
        axis = {"labelColor": INK, "titleColor": INK, "domainColor": FAINT, "tickColor": FAINT, "gridColor": FAINT}
        specification["padding"] = {"left": 20, "top": 5, "right": 12, "bottom": 5}
        specification["config"] = {
            "background": "transparent",
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                **axis, "titleFontWeight": "normal", "labelFontSize": 13, "titleFontSize": 13, "labelLimit": 220,
                "titlePadding": 12,
            },
            "legend": {
                "labelColor": INK, "titleColor": INK, "labelFontSize": 13, "orient": "bottom", "columns": 3,
                "columnPadding": 28, "symbolStrokeWidth": 2, "symbolSize": 90, "labelLimit": 220,
            },
        }  # fmt: skip
        return specification


def _version(specification: dict[str, Any]) -> dict[str, Any]:
    """The Vega-Lite that Altair wrote for, where vl-convert has it."""
    import vl_convert

    wanted = re.search(r"/v(\d+\.\d+)", specification.get("$schema", ""))
    known = wanted is not None and wanted.group(1) in vl_convert.get_vegalite_versions()
    return {"vl_version": f"v{wanted.group(1)}"} if wanted and known else {}


def dark(svg: str) -> str:
    """The same chart for a dark page. Only colours change: text that reads like one is left alone."""
    inks = dict(zip((*LIGHT, INK, FAINT), (*DARK, DARK_INK, DARK_FAINT), strict=True))
    return re.sub(r'(fill|stroke)="(#[0-9a-f]{6})"', lambda found: f'{found[1]}="{inks.get(found[2], found[2])}"', svg)
