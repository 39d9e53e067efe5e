"""Charts: milliseconds for each, and bytes, by kind and number of rows.

    python benchmarks/charts.py --charts 40

Values are made up; every chart differs, so that nothing is remembered from one to the next. The first chart
starts the converter and is timed by itself.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from copstats.disseminate.charts import (
    Mark,
    Point,
    Series,
    Spec,
    Style,
    interval_chart,
    paired_chart,
    render_png,
    render_svg,
    trend_chart,
)


def marks(rows: int, chart: int, groups: tuple[str, ...] = ("",)) -> list[Mark]:
    """Return made-up values with intervals."""
    return [
        Mark(f"Country {row}", value, value - 4, value + 5, note="2025", weak=row % 9 == 0, group=group)
        for row in range(rows)
        for shift, group in enumerate(groups)
        for value in [10 + (37 * row + 11 * chart + 5 * shift) % 80]
    ]


def trend(chart: int) -> Spec:
    """Return a chart of four countries over five rounds."""
    series = [
        Series(
            f"Country {k}", [Point(2016 + 2 * r, 20 + k * 9 + r, 15 + k * 9, 30 + k * 9) for r in range(5)]
        )
        for k in range(4)
    ]
    return trend_chart(series, Style(name=f"trend-{chart}"))


KINDS: dict[str, Callable[[int], Spec]] = {
    "intervals, 10 rows": lambda chart: interval_chart(marks(10, chart), Style()),
    "intervals, 60 rows": lambda chart: interval_chart(marks(60, chart), Style()),
    "intervals, 60 rows, Arabic": lambda chart: interval_chart(marks(60, chart), Style("ar")),
    "pairs, 20 rows": lambda chart: paired_chart(marks(20, chart, ("Girls", "Boys")), Style()),
    "trend, 4 series": trend,
}


def main() -> None:
    """Time every kind of chart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--charts", type=int, default=20, help="of each kind")
    count = parser.parse_args().charts
    start = time.perf_counter()
    render_svg([interval_chart(marks(1, 0), Style())])
    print(f"first chart: {time.perf_counter() - start:.2f} s")
    for name, spec_of in KINDS.items():
        start = time.perf_counter()
        drawn = render_svg([spec_of(chart) for chart in range(count)])
        each = 1000 * (time.perf_counter() - start) / count
        print(f"{name}: {each:.0f} ms, {sum(map(len, drawn)) / count / 1000:.0f} kB")
    start = time.perf_counter()
    pictures = [render_png(interval_chart(marks(10, chart), Style())) for chart in range(5)]
    each = 1000 * (time.perf_counter() - start) / len(pictures)
    print(f"PNG, 10 rows: {each:.0f} ms, {len(pictures[0]) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
