"""Dissemination: builds, verifies and shows a release."""

from copstats.disseminate.manifest import ReleaseManifest
from copstats.disseminate.release import build_release
from copstats.disseminate.sources import SourceRecord
from copstats.disseminate.summary import countries_by_indicators
from copstats.disseminate.verify import Problem, verify_release

__all__ = [
    "Problem",
    "ReleaseManifest",
    "SourceRecord",
    "build_release",
    "countries_by_indicators",
    "verify_release",
]
