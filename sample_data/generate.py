"""Writes the data files of ``sample_data/submissions``: the same every time, from a fixed seed.

Run as ``python sample_data/generate.py``. Manifests and crosswalks are written by hand and are the input: the
generator draws a file that honours them. The one exception is the faulty submission, which is made from its
corrected resubmission by planting faults; their key is ``sample_data/faults.yaml``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from sample_data.generator.build import build_all  # noqa: E402


def main() -> None:
    """Write all submissions, or those of another folder for a comparison."""
    parser = argparse.ArgumentParser(description="Write the sample submissions.")
    parser.add_argument("--to", type=Path, default=ROOT / "sample_data", help="folder that gets submissions/")
    build_all(parser.parse_args().to)


if __name__ == "__main__":
    main()
