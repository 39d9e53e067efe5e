"""What a release needs to know of the submissions behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from copstats.framework.manifest import SurveyManifest


@dataclass(frozen=True)
class SourceRecord:
    """A submission whose values are published.

    Attributes:
        manifest: what the statistics office states of the survey.
        content_hash: SHA-256 of the submission.
        records: record kind -> number of records; published as a band.
        custody: who made the pseudonyms: ``double`` the country, and the receiving side replaced them;
            ``single`` the receiving side alone, from the raw file, which protects less.
    """

    manifest: SurveyManifest
    content_hash: str
    records: Mapping[str, int] = field(default_factory=dict)
    custody: Literal["single", "double"] = "single"

    @classmethod
    def of(
        cls,
        manifest: SurveyManifest,
        content_hash: str,
        records: Mapping[str, int] | None = None,
        *,
        custody: Literal["single", "double"] = "single",
    ) -> SourceRecord:
        """Return the record of a submission."""
        return cls(manifest, content_hash, records or {}, custody)

    @property
    def submission_id(self) -> str:
        """For example ``KEN_2026_COPS_v01_M``; column ``source`` of the values."""
        return self.manifest.submission_id
