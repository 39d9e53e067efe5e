"""copstats: comparable, disclosure-safe indicators on child online protection from national surveys."""

__version__ = "0.1.0"
