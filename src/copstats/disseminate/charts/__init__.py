"""Charts of a release: Vega-Lite specifications, drawn as SVG for pages and as PNG for documents."""

from copstats.disseminate.charts.bars import bar_chart
from copstats.disseminate.charts.captions import reading_aid
from copstats.disseminate.charts.model import Bar, Mark, Point, Series, Spec, Style
from copstats.disseminate.charts.picture import letters_available, render_png
from copstats.disseminate.charts.render import javascript_bundle, render_svg
from copstats.disseminate.charts.rows import interval_chart, paired_chart
from copstats.disseminate.charts.theme import config
from copstats.disseminate.charts.trend import trend_chart

__all__ = [
    "Bar",
    "Mark",
    "Point",
    "Series",
    "Spec",
    "Style",
    "bar_chart",
    "config",
    "interval_chart",
    "javascript_bundle",
    "letters_available",
    "paired_chart",
    "reading_aid",
    "render_png",
    "render_svg",
    "trend_chart",
]
