"""``python -m copstats``."""

from copstats.cli import main

main()
