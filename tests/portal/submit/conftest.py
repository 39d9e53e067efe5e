from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from copstats.cli.application import application
from tests.portal.conftest import Served
from tests.portal.submit.between import Line
from tests.portal.uploads.sending import zip_of


@dataclass
class Office:
    """An office: its folder, and the command line with the token of Kenya."""

    folder: Path
    token: str
    capsys: pytest.CaptureFixture[str]
    words: str = ""

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def file(self, size: int, seed: int) -> Path:
        path = self.folder / f"{seed}.zip"
        # The portal is that of other tests too, and knows a content that one of them has sent.
        path.write_bytes(zip_of(size, 10_000 + seed))
        return path

    def submit(self, file: Path, url: str, *options: str) -> tuple[int, dict[str, Any]]:
        """Send a raw file; return the exit status and what is printed for machines."""
        return self.run(str(file), "--to", url, "--raw", *options)

    def run(self, *options: str) -> tuple[int, dict[str, Any]]:
        self.capsys.readouterr()
        status = application(["submit", *options, "--json", "--home", str(self.home)])
        told = self.capsys.readouterr()
        self.words = told.err
        assert self.token not in told.out + told.err
        return status, json.loads(told.out) if told.out else {}

    def refused(self, *options: str) -> tuple[int, str]:
        """Run what is refused; return the exit status and the code of the error."""
        status, told = self.run(*options)
        return status, told["errors"][0]["code"]


@pytest.fixture
def office(
    portal: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Office:
    monkeypatch.setenv("COPSTATS_TOKEN", portal.tokens["KEN"])
    return Office(tmp_path, portal.tokens["KEN"], capsys)


@pytest.fixture
def line() -> Iterator[Callable[..., Line]]:
    """Makes lines to servers; they end with the test."""
    with ExitStack() as stack:

        def make(url: str, limits: Iterator[int] | None = None) -> Line:
            made = Line(url, limits)
            stack.callback(made.close)
            return made

        yield make
