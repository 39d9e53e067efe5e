"""What machines read of a release: data package, catalogue entry, and a codebook of each survey."""

from copstats.disseminate.metadata.writing import write_metadata

__all__ = ["write_metadata"]
