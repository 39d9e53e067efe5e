from __future__ import annotations

import pytest

from copstats.errors import ReleaseError
from copstats.store.home import Home
from copstats.store.releases import QUARTER_LABEL, ReleaseStore


def publish(home: Home, label: str, text: str = "x") -> None:
    with home.releases.staging(label) as draft:
        (draft.folder / "csv").mkdir()
        (draft.folder / "csv/indicator_value.csv").write_text(text)
        draft.publish()


def test_a_release_appears_whole(home: Home) -> None:
    with home.releases.staging("2026-Q4") as draft:
        (draft.folder / "MANIFEST.json").write_text("{}")
        assert home.releases.labels() == []
        place = draft.publish()
    assert place == home.releases.folder("2026-Q4") == home.path / "releases/2026-Q4"
    assert (place / "MANIFEST.json").read_text() == "{}"


def test_what_is_not_published_is_gone(home: Home) -> None:
    with home.releases.staging("2026-Q4") as draft:
        (draft.folder / "x").write_text("x")
    with pytest.raises(ZeroDivisionError), home.releases.staging("2026-Q4"):
        _ = 1 / 0
    assert list((home.path / "releases").iterdir()) == []
    with pytest.raises(ReleaseError) as error:
        home.releases.folder("2026-Q4")
    assert error.value.code == "R092"


def test_a_label_is_used_once(home: Home) -> None:
    publish(home, "2026-Q4", "first")
    with pytest.raises(ReleaseError) as error, home.releases.staging("2026-Q4"):
        pass
    assert error.value.code == "R090"
    with home.releases.staging("2027-Q1") as late:
        (late.folder / "x").write_text("late")
        publish(home, "2027-Q1", "early")
        with pytest.raises(ReleaseError):
            late.publish()
    assert home.releases.labels() == ["2026-Q4", "2027-Q1"]
    assert (home.releases.folder("2027-Q1") / "csv/indicator_value.csv").read_text() == "early"


@pytest.mark.parametrize(
    "label", ["", ".", "..", "a/b", "-x", "a b", "2026-Q4\n", "x" * 41, ".staging-1", "é"]
)
def test_labels_are_plain_names(home: Home, label: str) -> None:
    with pytest.raises(ReleaseError) as error, home.releases.staging(label):
        pass
    assert error.value.code == "R091"
    with pytest.raises(ReleaseError):
        home.releases.folder(label)


def test_a_home_can_ask_for_quarters(home: Home) -> None:
    store = ReleaseStore(home.path / "releases", QUARTER_LABEL)
    for label in ("2026-Q4", "2026-Q4-r1"):
        with store.staging(label):
            pass
    for label in ("2026-Q5", "2026-Q4-", "test"):
        with pytest.raises(ReleaseError), store.staging(label):
            pass
