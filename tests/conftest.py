from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.offline.sitecustomize import EGRESS

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = ROOT / "tests" / "offline"
# Before any process is started: the tests of this one are kept off the network by the import above.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(OFFLINE), os.environ.get("PYTHONPATH"))))


LONGEST = (
    "portal/attacks/test_campaign.py",
    "portal/journey/test_journey.py",
    "journey/test_demo.py",
    "attack/test_canaries.py",
    "docs/test_data_protection.py",
    "test_killed.py",
)
"""Files that take longest: begun first, so that no worker is left with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def egress(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the processes of this run write down what would have left the machine."""
    log = tmp_path_factory.mktemp("egress") / "log.txt"
    log.touch()
    os.environ[EGRESS] = str(log)
    return log


@pytest.fixture(autouse=True)
def offline(egress: Path) -> Iterator[None]:
    """Fail a test that, or whose fixtures or processes, reached for the network."""
    yield
    if egress.stat().st_size:
        reached = egress.read_text("utf-8")
        egress.write_text("", "utf-8")
        pytest.fail(f"the network was reached for:\n{reached}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference results and real public data that stands beside the checkout."""
    folder = Path(os.environ.get("COPSTATS_SHARED", ROOT.parent / "shared"))
    if not (folder / "reference").is_dir():
        pytest.skip(
            "no reference data: set COPSTATS_SHARED to the folder that holds `reference/` and `data/`"
        )
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
