"""A framework version in the formats of other tools."""
