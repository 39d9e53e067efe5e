from __future__ import annotations

import json
from pathlib import Path

import pytest

from copstats.cli.application import application
from copstats.store.home import Home
from tests.portal.conftest import Served


def run(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = application(["token", *arguments, "--home", str(home)])
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Home.open(tmp_path / "home", create=True).path


def test_a_token_is_shown_once_and_listed_without_its_secret(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("create", "--role", "provider", "--area", "KEN", "--holder", "KNBS [x]", "--days", "9")
    status, secret, words = run(capsys, home, *made)
    assert status == 0
    assert secret.startswith("cop_")
    assert secret not in words
    [listed] = json.loads(run(capsys, home, "list", "--json")[1])
    assert (listed["role"], listed["area"], listed["holder"]) == ("provider", "KEN", "KNBS [x]")
    assert "token" not in listed
    table = run(capsys, home, "list")[1]
    assert "KNBS [x]" in table
    assert secret.strip() not in table
    assert run(capsys, home, "revoke", listed["id"])[0] == 0
    assert json.loads(run(capsys, home, "list", "--json")[1])[0]["state"] == "revoked"
    entries = [(e["action"], e["subject"], e["facts"]) for e in Home.open(home).audit.entries()]
    assert entries == [
        ("token.created", listed["id"], {"role": "provider", "area": "KEN", "days": 9}),
        ("token.revoked", listed["id"], {}),
    ]


def test_a_token_made_on_the_command_line_opens_the_portal(
    portal: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("create", "--role", "auditor", "--holder", "Court of Audit", "--json")
    secret = json.loads(run(capsys, portal.home, *made)[1])["token"]
    browser = portal.browser()
    browser.post("/en/sign-in", data={"token": secret})
    assert browser.get("/en/start").headers["location"] == "/en/board/log"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "--role", "provider", "--holder", "x"), "P101"),
        (("create", "--role", "provider", "--area", "XQZ", "--holder", "x"), "P125"),
        (("revoke", "00000000"), "P103"),
    ],
)
def test_a_mistake_is_explained(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: str
) -> None:
    status, _, words = run(capsys, home, *arguments)
    assert (status, code in words) == (2, True)


def test_the_portal_is_not_served_open_to_all(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    status = application(["serve", "--host", "0.0.0.0", "--home", str(home)])  # noqa: S104 - refused
    assert (status, "P106" in capsys.readouterr().err) == (2, True)
