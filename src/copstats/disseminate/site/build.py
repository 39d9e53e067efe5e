"""Builds the site: every page in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from copstats.disseminate.charts import render_svg
from copstats.disseminate.published import Published
from copstats.disseminate.site.names import Names
from copstats.disseminate.site.page import Page, relative
from copstats.disseminate.site.pages import changes, compare, country, indicator, method, overview, region
from copstats.disseminate.site.reading import Content
from copstats.language import LANGUAGES, N_, Translations, translations

Pages = Callable[[Content, Translations], Iterable[Page]]
Files = Callable[[Path, Content], None]

_PAGES: Sequence[Pages] = (
    overview.pages,
    indicator.pages,
    country.pages,
    region.pages,
    compare.pages,
    method.pages,
    changes.pages,
)
"""Makers of pages."""

_FILES: Sequence[Files] = (indicator.write_data, country.write_data, compare.write_files)
"""Makers of files that all languages share; each is given the folder of the site."""

_NAVIGATION = (
    ("index.html", N_("Overview")),
    ("indicators/index.html", N_("Indicators")),
    ("areas/index.html", N_("Countries")),
    ("regions/index.html", N_("Regions")),
    ("compare.html", N_("Compare")),
    ("method/index.html", N_("Method")),
    ("changes.html", N_("Changes")),
)
"""Entries of the navigation; one without a page is left out."""

FOLDER = "site"
"""Folder of the site in a release."""
_HERE = Path(__file__).parent
_ASSETS = ("shared/base.css", "shared/icon.svg", "site.css")
"""Files of ``assets`` that every page loads; those in ``shared`` are the portal's too."""


def write_site(folder: Path, published: Published, languages: Sequence[str] = tuple(LANGUAGES)) -> None:
    """Write the site of a release; the same release gives the same bytes.

    Args:
        folder: of the release; the site is its folder ``site``. Pages link to the files beside it.
        published: what the release holds.
        languages: of the pages; every page is there in each of them.
    """
    content, site = Content(published), folder / FOLDER
    (site / "assets").mkdir(parents=True)
    for name in _ASSETS:
        source = _HERE / "assets" / name
        (site / "assets" / source.name).write_bytes(source.read_bytes())
    (site / "data").mkdir()
    for write in _FILES:
        write(site, content)
    named = {language: LANGUAGES[language] for language in languages}
    for language in named:
        words = translations(language, published.framework.id)
        _write_language(site, content, words, named)
    _write(site / "index.html", _choice(published, named))


def _write_language(site: Path, content: Content, words: Translations, languages: Mapping[str, str]) -> None:
    pages = [page for make in _PAGES for page in make(content, words)]
    drawn = _drawn(pages)
    environment = _environment(content, words, languages)
    present = {page.path for page in pages}
    environment.globals["navigation"] = [
        (path, words.text(title)) for path, title in _NAVIGATION if path in present
    ]
    for page, charts in zip(pages, drawn, strict=True):
        _write(site / words.language / page.path, _rendered(environment, page, charts, words))


def _drawn(pages: Sequence[Page]) -> list[dict[str, Markup]]:
    """Return the pictures of every page by name; all charts of a language are drawn together."""
    pictures = iter(render_svg([spec for page in pages for spec in page.charts.values()]))
    return [{name: _trusted(next(pictures)) for name in page.charts} for page in pages]


def _trusted(picture: str) -> Markup:
    """Let a picture stand in a page as it is: the charts escape the texts in it."""
    return Markup(picture)  # noqa: S704


def _rendered(environment: Environment, page: Page, charts: dict[str, Markup], words: Translations) -> str:
    here = f"{words.language}/{page.path}"
    return environment.get_template(page.template).render(
        **page.context,
        page=page,
        charts=charts,
        link=lambda path: relative(here, f"{words.language}/{path}"),
        root=lambda path: relative(here, path),
        released=lambda path: relative(here, f"../{path}"),
        in_language=lambda language: relative(here, f"{language}/{page.path}"),
    )


def _environment(content: Content, words: Translations, languages: Mapping[str, str]) -> Environment:
    environment = _plain_environment()
    published = content.published
    environment.globals |= {
        "text": words.text,
        "names": Names(content, words),
        "words": words,
        "languages": languages,
        "published": published,
    }
    return environment


def _plain_environment() -> Environment:
    return Environment(
        autoescape=True,
        loader=FileSystemLoader(_HERE / "templates"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )


def _choice(published: Published, languages: Mapping[str, str]) -> str:
    """Return the page on which a reader chooses a language."""
    known: list[dict[str, Any]] = []
    for language, name in languages.items():
        words = translations(language, published.framework.id)
        title = words.text("Child online protection: indicators by country")
        known.append({"language": language, "name": name, "direction": words.direction, "title": title})
    return _plain_environment().get_template("choice.html.jinja").render(known=known, label=published.label)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
