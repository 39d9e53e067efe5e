"""`copstats submit` over lines that break, to portals that are killed, from files that change."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import chain, repeat

import pytest

from copstats.store.home import Home
from tests.portal.conftest import PATIENT, Served, new_home, serve
from tests.portal.submit.between import Line
from tests.portal.submit.conftest import Office
from tests.portal.uploads.sending import digest

Lines = Callable[..., Line]


def kept(portal: Served, upload: str) -> bytes:
    with Home.open(portal.home).inbox.open(upload) as stream:
        return stream.read()


@pytest.mark.parametrize("seed", [1, 2])
def test_over_a_line_that_breaks_all_arrives_and_no_byte_twice(
    portal: Served, office: Office, line: Lines, seed: int
) -> None:
    random_ = random.Random(seed)  # noqa: S311 - no secret
    cuts = [random_.randint(1, most) for _ in range(4) for most in (2_000, 900_000)]
    broken, file = line(portal.url, chain(cuts, repeat(2**62))), office.file(5_000_000, 10 + seed)
    status, told = office.submit(file, broken.url)
    assert status == 0, told
    assert kept(portal, told["upload"]) == file.read_bytes()
    assert (told["state"], told["sha256"]) == ("complete", digest(file.read_bytes()))
    assert broken.connections > len(cuts)


def test_the_portal_is_killed_and_comes_back_elsewhere(office: Office, line: Lines) -> None:
    home = office.folder / "killed"
    tokens, ids = new_home(home)
    os.environ["COPSTATS_TOKEN"] = tokens["KEN"]  # put back by the fixture
    file = office.file(9_000_000, 20)
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as first:
        way = line(first.url)

        def kill(passed: int) -> None:
            if passed > 5_000_000 and first.process.poll() is None:
                first.process.kill()

        way.seen = kill
        assert office.refused(str(file), "--to", way.url, "--raw", "--patience", "0.1") == (4, "T110")
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as second:
        before, way.target = way.passed, second.url.removeprefix("http://")
        status, told = office.submit(file, way.url)
        assert (status, told["new"], told["state"]) == (0, False, "complete")
        assert way.passed - before < file.stat().st_size - 4_000_000
        assert kept(second, told["upload"]) == file.read_bytes()


def test_the_same_file_twice_is_received_once(portal: Served, office: Office, line: Lines) -> None:
    way, file = line(portal.url), office.file(300_000, 30)
    first = office.submit(file, way.url)[1]
    receipt = file.with_name("30.zip.receipt.json").read_bytes()
    passed = way.passed
    status, again = office.submit(file, way.url)
    assert (status, first["new"], again["new"]) == (0, True, False)
    assert again["upload"] == first["upload"]
    assert file.with_name("30.zip.receipt.json").read_bytes() == receipt
    assert way.passed - passed < 10_000
    assert "has this file already" in office.words


def test_stopped_by_hand_it_says_how_to_go_on(portal: Served, office: Office, line: Lines) -> None:
    way, file = line(portal.url), office.file(6_000_000, 40)
    way.pause = 0.005
    command = (sys.executable, "-m", "copstats", "submit", str(file), "--raw", "--to", way.url)
    process = subprocess.Popen([*command, "--home", str(office.home)], stderr=subprocess.PIPE, text=True)

    def interrupt(passed: int) -> None:
        if passed > 4_500_000:
            process.send_signal(signal.SIGINT)
            way.seen = lambda _: None

    way.seen = interrupt
    words = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "What arrived is kept" in words
    assert "same command again" in words
    assert "Traceback" not in words
    way.pause, before = 0.0, way.passed
    status, told = office.submit(file, way.url)
    assert (status, told["new"]) == (0, False)
    assert way.passed - before < 2_500_000
    assert kept(portal, told["upload"]) == file.read_bytes()


def test_a_file_that_changes_meanwhile_is_not_received(portal: Served, office: Office, line: Lines) -> None:
    way, file = line(portal.url), office.file(6_000_000, 50)

    def overwrite(passed: int) -> None:
        if 1_000_000 < passed < 3_000_000:
            with file.open("r+b") as open_file:
                open_file.seek(5_000_000)
                open_file.write(b"x" * 1000)

    way.seen = overwrite
    status, told = office.submit(file, way.url)
    assert (status, told["errors"][0]["code"]) == (2, "U417")
    assert told["errors"][0]["where"].startswith("P205")
    assert not list(office.folder.glob("*.receipt.json"))
    way.seen = lambda _: None
    status, told = office.submit(file, way.url)
    assert (status, kept(portal, told["upload"])) == (0, file.read_bytes())


def test_a_file_that_shrinks_meanwhile_is_noticed_here(portal: Served, office: Office, line: Lines) -> None:
    way, file = line(portal.url), office.file(6_000_000, 51)

    def shorten(passed: int) -> None:
        if passed > 1_000_000 and file.stat().st_size > 5_000_000:
            os.truncate(file, 5_000_000)

    way.seen = shorten
    assert office.refused(str(file), "--to", way.url, "--raw") == (2, "U423")


def test_in_words_and_in_french_it_says_what_was_received(
    portal: Served, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    from copstats.cli.application import application

    file = office.file(200_000, 60)
    words = ["submit", str(file), "--raw", "--to", portal.url, "--language", "fr", "--home", str(office.home)]
    assert application(words) == 0
    told = capsys.readouterr()
    assert f"{portal.url}/fr/submissions/KEN_" in told.out
    assert office.token not in told.out + told.err
