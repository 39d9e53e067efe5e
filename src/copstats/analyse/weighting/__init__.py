"""Weights for surveys that come with base weights: non-response, calibration, diagnostics.

Final weights that a country gives are used untouched; nothing here is called for them.
"""

from __future__ import annotations
