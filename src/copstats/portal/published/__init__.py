"""What anybody may read: files of releases, their data and structure over SDMX REST; health and metrics."""
