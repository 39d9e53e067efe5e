from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

COMMANDS = 11


def test_the_page_on_keys_runs(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "keys.md").read_text("utf-8")
    commands = [
        line[2:] for block in re.findall(r"```console\n(.*?)```", page, re.S) for line in block.splitlines()
    ]
    assert len(commands) == COMMANDS
    words = tmp_path / "passphrase.txt"
    words.write_text("lamp river under seven coats\n")
    words.chmod(0o600)
    script = (
        "import shlex, sys\n"
        "from copstats.cli.application import application\n"
        "for line in sys.stdin:\n"
        "    if status := application(shlex.split(line)[1:]):\n"
        "        sys.exit(f'{status} {line}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"COPSTATS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(root / "src")},
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {shlex.split(c)[2] for c in commands} >= {"create", "export", "register", "backup", "rotate"}
    assert [p.name for p in (tmp_path / "home/keys").glob("*.key")] == ["receiving.key"]
