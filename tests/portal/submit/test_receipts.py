"""Receipts that an office can still prove years later, and keys that do not change unnoticed."""

from __future__ import annotations

from pathlib import Path

from tests.portal.conftest import Served
from tests.portal.submit.conftest import Office
from tests.portal.submit.test_refused import other_key


def sent(office: Office, portal: Served, seed: int) -> tuple[Path, Path]:
    file, receipt = office.file(50_000, seed), office.folder / f"{seed}.receipt"
    assert office.submit(file, portal.url, "--receipt", str(receipt))[0] == 0
    return file, receipt


def test_a_receipt_is_checked_without_the_portal(portal: Served, office: Office) -> None:
    file, receipt = sent(office, portal, 200)
    status, told = office.run("--verify-receipt", str(receipt), str(file))
    assert (status, told["area"], told["size"]) == (0, "KEN", file.stat().st_size)
    key = office.folder / "key.pem"
    key.write_bytes(portal.client().get("/api/key").content)
    kept = next((office.home / "portals").iterdir())
    assert kept.read_bytes() == key.read_bytes()
    kept.unlink()
    assert office.refused("--verify-receipt", str(receipt)) == (2, "U424")
    assert office.run("--verify-receipt", str(receipt), "--key", str(key))[0] == 0


def test_a_changed_receipt_and_one_of_another_file_are_refused(portal: Served, office: Office) -> None:
    file, receipt = sent(office, portal, 201)
    other, _ = sent(office, portal, 202)
    assert office.refused("--verify-receipt", str(receipt), str(other)) == (2, "U421")
    genuine = receipt.read_text()
    for old, new in (('"KEN"', '"UGA"'), (str(file.stat().st_size), "7")):
        assert old in genuine
        receipt.write_text(genuine.replace(old, new))
        assert office.refused("--verify-receipt", str(receipt), str(file)) == (2, "P213")
    receipt.write_text("{}")
    assert office.refused("--verify-receipt", str(receipt)) == (2, "P212")


def test_another_key_is_not_taken_unless_it_was_handed_out(portal: Served, office: Office) -> None:
    file, receipt = sent(office, portal, 203)
    kept = next((office.home / "portals").iterdir())
    genuine, false = kept.read_bytes(), office.folder / "false.pem"
    false.write_bytes(other_key())
    kept.write_bytes(false.read_bytes())
    assert office.refused("--verify-receipt", str(receipt)) == (2, "P213")
    assert office.refused(str(file), "--raw", "--to", portal.url) == (2, "U420")
    assert office.refused(str(file), "--raw", "--to", portal.url, "--key", str(false)) == (2, "U420")
    handed = office.folder / "handed.pem"
    handed.write_bytes(genuine)
    assert office.submit(file, portal.url, "--key", str(handed))[0] == 0
    assert kept.read_bytes() == genuine
    handed.write_text("no key")
    assert office.refused(str(file), "--raw", "--to", portal.url, "--key", str(handed)) == (2, "U422")
