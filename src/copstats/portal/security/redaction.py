"""Keeps tokens, sessions and the texts of exceptions out of the log."""

from __future__ import annotations

import logging
import re

_SECRET = re.compile(r"cop_[A-Za-z0-9_-]+|(?i:(bearer|copstats=)\s*)[A-Za-z0-9_-]{20,}")


class Redaction(logging.Filter):
    """Log filter: replaces what looks like a secret, and drops exceptions' texts, which could quote data."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always kept."""
        record.msg, record.args = _SECRET.sub("[withheld]", record.getMessage()), None
        if record.exc_info and record.exc_info[0]:
            record.msg += f" ({record.exc_info[0].__name__})"
        record.exc_info = record.exc_text = record.stack_info = None
        return True
