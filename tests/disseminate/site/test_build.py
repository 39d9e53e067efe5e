from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.disseminate.published import Published, Publisher
from copstats.disseminate.site import write_site
from copstats.disseminate.site.page import relative
from copstats.framework import Area
from copstats.language import LANGUAGES, translations
from tests.disseminate.site.reading import page, text

HOSTILE = "<script>alert(1)</script> & \"Qasriya\" 'al-ulya' قصرية"
PATHS = st.lists(st.sampled_from(["a", "b", "en", "areas"]), max_size=3).map(
    lambda parts: "/".join([*parts, "x.html"])
)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_two_builds_give_the_same_bytes(published: Published, site: Path, tmp_path: Path) -> None:
    write_site(tmp_path, published, ("en", "ar"))
    assert files(tmp_path / "site") == files(site)


def test_every_page_is_there_in_every_language(published: Published, site: Path) -> None:
    by_language = [
        sorted(p.relative_to(site / language).as_posix() for p in (site / language).rglob("*.html"))
        for language in ("en", "ar")
    ]
    assert by_language[0] == by_language[1]
    codes = set(published.framework.indicators)
    assert {Path(name).stem for name in by_language[0] if name.startswith("indicators/")} == codes | {"index"}


def test_pages_carry_language_direction_and_their_other_languages(site: Path) -> None:
    for path in (site / "ar").rglob("*.html"):
        document = page(path)
        assert (document.get("lang"), document.get("dir")) == ("ar", "rtl")
        (english,) = document.xpath("//head/link[@rel='alternate'][@hreflang='en']/@href")
        assert (path.parent / english).resolve() == site / "en" / path.relative_to(site / "ar")
        assert document.xpath("//nav[@class='languages']//a[@hreflang='en']/@href") == [english]


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        document = page(path)
        assert (
            document.xpath("//style | //script[not(@src)] | //@style | //@*[starts-with(name(), 'on')]") == []
        )
        loaded = document.xpath("//link/@href | //script/@src | //img/@src | //*[local-name()='use']/@href")
        assert [address for address in loaded if re.match(r"[a-z]+:|/", address)] == []
    for sheet in (site / "assets").glob("*.css"):
        assert re.search(r"@import|url\(", sheet.read_text("utf-8")) is None


def test_every_page_has_one_heading_and_its_landmarks(site: Path) -> None:
    for path in site.rglob("*.html"):
        document = page(path)
        assert len(document.xpath("//h1")) == 1, path
        assert len(document.xpath("//main")) == 1, path
        ids = document.xpath("//@id")
        assert len(ids) == len(set(ids)), path


def test_the_footer_says_what_the_page_is_from(site: Path) -> None:
    footer = text(page(site / "en" / "index.html").xpath("//footer")[0])
    assert footer == (
        "Release 2026-Q4 Framework cop-2026 1.0.0 Publisher Office & partners "
        "Contact data@example.org Licence CC-BY-4.0"
    )
    assert translations("ar").notice in text(page(site / "ar" / "index.html").xpath("//footer")[0])


def test_texts_of_others_are_shown_and_not_run(published: Published, tmp_path: Path) -> None:
    areas = dict(published.areas) | {"XCC": Area("XCC", HOSTILE, {})}
    write_site(tmp_path, dataclasses.replace(published, areas=areas), ("en",))
    document = page(tmp_path / "site" / "en" / "indicators" / "RCD4.html")
    assert HOSTILE in text(document.xpath("//main")[0])
    assert document.xpath("//script") == []


def test_a_release_without_rows_has_its_pages(published: Published, tmp_path: Path) -> None:
    empty = {
        name: rows if name in ("release", "comparability") else rows.slice(0, 0)
        for name, rows in published.tables.items()
    }
    bare = dataclasses.replace(published, tables=empty, publisher=Publisher())
    write_site(tmp_path, bare, ("en",))
    main = text(page(tmp_path / "site" / "en" / "indicators" / "RCD4.html").xpath("//main")[0])
    assert "No survey of this release gives this indicator." in main
    assert "This release holds no survey." in text(
        page(tmp_path / "site" / "en" / "index.html").xpath("//main")[0]
    )
    assert "Publisher" not in text(page(tmp_path / "site" / "en" / "index.html").xpath("//footer")[0])


@pytest.mark.nightly
def test_all_languages_are_built(published: Published, tmp_path: Path) -> None:
    write_site(tmp_path, published)
    choice = page(tmp_path / "site" / "index.html")
    assert choice.xpath("//main//a/@href") == [f"{language}/index.html" for language in LANGUAGES]
    assert all((tmp_path / "site" / address).is_file() for address in choice.xpath("//main//a/@href"))


@given(source=PATHS, target=PATHS)
def test_relative_addresses_lead_to_their_target(source: str, target: str) -> None:
    base = "https://example.org/release/site/"
    assert urljoin(base + source, relative(source, target)) == base + target


def test_a_file_beside_the_site_is_reached() -> None:
    assert relative("en/indicators/RCD4.html", "../copstats.duckdb") == "../../../copstats.duckdb"


def test_the_example_of_the_documentation_runs(root: Path, release: Path, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (root / "docs" / "site.md").read_text("utf-8"), re.DOTALL)
    exec(example, {"release": release, "folder": tmp_path})  # noqa: S102 - a page of this project
    footer = text(page(tmp_path / "site" / "ar" / "index.html").xpath("//footer")[0])
    assert "Statistics office" in footer
