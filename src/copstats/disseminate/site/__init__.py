"""The site of a release: static pages in six languages; no page makes a request elsewhere."""

from copstats.disseminate.site.build import write_site

__all__ = ["write_site"]
