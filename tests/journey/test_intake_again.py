"""A process that is killed between registering a submission and accepting it is finished by the next."""

from __future__ import annotations

import shutil
from pathlib import Path

from copstats import steps
from copstats.project import project_root
from copstats.store.home import Home
from copstats.store.rows import State

SAMPLES = project_root() / "sample_data"


def test_what_waits_by_a_kill_is_accepted_when_it_comes_again(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home", create=True)
    shutil.copy(SAMPLES / "areas.csv", home.path)
    folder = SAMPLES / "submissions" / "XAA_2023_COPS_v01"
    # Accepting by hand leaves the state that a kill before the decision leaves.
    first = steps.ingest(home.path, folder)
    assert (first.state, first.changed) == (State.WAITING, True)
    assert not steps.ingest(home.path, folder).changed
    home.change_settings(accept="without_errors")
    again = steps.ingest(home.path, folder)
    assert (again.state, again.changed) == (State.ACCEPTED, True)
    assert not steps.ingest(home.path, folder).changed
    assert home.audit.verify() == []
