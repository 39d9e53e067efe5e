"""The audit of what is published: written apart from the suppression that it checks."""

from copstats.disclose.audit.auditor import Published, audit_values
from copstats.disclose.audit.result import Audit, Cell, Finding, Weakness

__all__ = ["Audit", "Cell", "Finding", "Published", "Weakness", "audit_values"]
