"""Estimates from an analyst's own survey data: any design, any table, the formulas of R `survey`."""
