"""The command line. Each command is a thin call of the library; heavy imports happen inside commands."""

from __future__ import annotations

import sys

from copstats.cli.application import application


def main() -> None:
    """Run ``copstats`` with the arguments of the process and exit with its status."""
    sys.exit(application(sys.argv[1:]))
