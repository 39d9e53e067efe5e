"""The page that lists the releases."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from copstats.portal.context import PortalOf, WordsOf
from copstats.portal.pages import render
from copstats.portal.published.releases import PublishedRelease, find, labels

router = APIRouter()
_MEGABYTE = 1_000_000


@router.get("/releases")
def show_releases(request: Request, portal: PortalOf, words: WordsOf) -> Response:
    """Show the published releases with ways to their site, database, files and SDMX interface."""
    releases = [find(portal.home, label) for label in labels(portal.home)]
    shown = [
        {
            "label": one.label,
            "files": len(one.files),
            "megabytes": sum(entry.size for entry in one.files.values()) / _MEGABYTE,
            "site": _front(one, words.language),
            "sdmx": any(name.startswith("sdmx/") for name in one.files),
        }
        for one in releases
    ]
    return render(request, "releases.html.jinja", title=words.text("Published releases"), releases=shown)


def _front(release: PublishedRelease, language: str) -> str:
    """Return the first page of the release's site in a language, if it has one."""
    name = f"site/{language}/index.html"
    return name if name in release.files else ""
