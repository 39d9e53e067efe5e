"""The flows on Prefect's embedded server: ids in, states out, nothing of the data in what Prefect keeps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.flows

SECRET = "CANARY-7f3a-Zuleika"


def copstats(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "copstats", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployments_name_flows_that_exist_and_a_quarterly_calendar(root: Path) -> None:
    declared = yaml.safe_load((root / "flows" / "prefect.yaml").read_text("utf-8"))
    for deployment in declared["deployments"]:
        path, _, function = deployment["entrypoint"].partition(":")
        assert f"def {function}(" in (root / path).read_text("utf-8")
    release = next(d for d in declared["deployments"] if d["name"] == "quarterly-release")
    (schedule,) = release["schedules"]
    assert re.fullmatch(r"\d+ \d+ \d+ (\d+,){3}\d+ \*", schedule["cron"])
    assert schedule["timezone"]
