"""The pages of the site, one module a kind.

Each module has ``pages(content, words)``, which yields its pages in one language. What is computed from the
release once for all languages stands in :class:`~copstats.disseminate.site.reading.Content`.
"""
