"""Analysis zone: design-based estimates, their reliability and comparability."""
