"""A page as a module of pages describes it, before it is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from copstats.disseminate.charts import Spec


@dataclass(frozen=True)
class Link:
    """A text that leads to a page of the same language; ``path`` as :attr:`Page.path`."""

    text: str
    path: str


@dataclass(frozen=True)
class Page:
    """A page in one language.

    Attributes:
        path: below the folder of the language, for example ``indicators/RCD4.html``; one in all languages.
        title: of the page, in its language.
        template: file in ``templates``; it extends ``base.html.jinja``.
        context: what the template shows, texts in the language of the page.
        section: path of the entry of the navigation that the page belongs to.
        parents: breadcrumbs between the start page and this one.
        charts: specifications by name, that of the chart's style; the template shows the picture with
            ``m.figure(charts.NAME, caption)``. The same figures stand in a table of the page.
        scripts: files of the site's ``assets`` that the page runs, in this order.
    """

    path: str
    title: str
    template: str
    context: Mapping[str, Any]
    section: str = ""
    parents: Sequence[Link] = ()
    charts: Mapping[str, Spec] = field(default_factory=dict)
    scripts: Sequence[str] = ()


def relative(source: str, target: str) -> str:
    """Return the relative address of a file as a page of the same folder tree links to it.

    Args:
        source: path of the page, for example ``en/indicators/RCD4.html``.
        target: path of the file, a fragment after it or not; ``../`` leaves the tree.
    """
    here, there = list(PurePosixPath(source).parent.parts), target.split("/")
    while here and there[1:] and here[0] == there[0]:
        here, there = here[1:], there[1:]
    return "/".join([".."] * len(here) + there)
