from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest
from lxml import html

from copstats.disseminate.published import Published
from copstats.disseminate.site import write_site
from tests.disseminate.site.reading import page, table, text


def test_a_group_without_a_mean_says_why(site: Path, published: Published) -> None:
    reasons = {row["reason"] for row in published.tables["aggregate_value"].to_pylist()}
    assert reasons == {"population_unknown"} or "few_countries" in reasons
    shown = text(page(site / "en" / "regions" / "world-001.html"))
    assert "Without a mean, and why" in shown
    assert "This release has no mean of this group." in shown


def test_every_group_with_a_row_has_a_page(site: Path, published: Published) -> None:
    rows = published.tables["aggregate_value"].to_pylist()
    expected = {f"{row['scheme']}-{row['area_group']}.html" for row in rows}
    assert {path.name for path in (site / "en" / "regions").iterdir()} == expected | {"index.html"}


@pytest.fixture(scope="module")
def africa(published: Published, tmp_path_factory: pytest.TempPathFactory) -> html.HtmlElement:
    """The page of a group with a mean, and with one mean of girls that is not published."""
    values, members = published.tables["aggregate_value"], published.tables["aggregate_member"]
    row = {name: None for name in values.schema.names}
    row |= {"scheme": "itu_region", "area_group": "AFR", "label": "Africa", "indicator": "RCD4", "sex": "_T"}
    row |= {"time_period": "2026", "value": 24.5, "se": 1.0, "ci_lower": 22.6, "ci_upper": 26.5, "areas": 9}
    row |= {"countries": 5, "coverage": 0.778, "weighted_by": "population", "earliest_period": "2023"}
    row |= {"latest_period": "2026", "obs_status": "A", "comparability": "B"}
    empty = {name: None for name in ("value", "se", "ci_lower", "ci_upper")}
    girls = row | empty | {"sex": "F", "obs_status": "M", "reason": "few_countries"}
    boys = row | {"sex": "M", "value": 30.1}
    member = {name: None for name in members.schema.names}
    member |= {
        "scheme": "itu_region",
        "area_group": "AFR",
        "indicator": "RCD4",
        "sex": "_T",
        "ref_area": "XAA",
    }
    member |= {"time_period": "2026", "value": 24.6, "share": 0.25, "comparability": "A"}
    tables = {
        "aggregate_value": pa.Table.from_pylist([row, girls, boys], schema=values.schema),
        "aggregate_member": pa.Table.from_pylist([member], schema=members.schema),
    }
    folder = tmp_path_factory.mktemp("region")
    write_site(folder, dataclasses.replace(published, tables={**published.tables, **tables}), ("en",))
    return page(folder / "site" / "en" / "regions" / "itu_region-AFR.html")


def test_a_mean_stands_with_coverage_and_the_means_of_the_sexes(africa: html.HtmlElement) -> None:
    row = table(africa, "means-table")[2]
    assert row[1:3] == ["24.5", "22.6 to 26.5"]
    assert row[4:] == [
        "Too few countries of the group have a comparable figure",
        "30.1",
        "5 of 9",
        "78 %",
        "2023 to 2026",
        "B",
    ]


def test_the_countries_behind_a_mean_are_named_with_their_shares(africa: html.HtmlElement) -> None:
    assert table(africa, "behind-RCD4")[1:] == [["Aruvia (fictional)", "24.6", "2026", "25.0 %", "A"]]
