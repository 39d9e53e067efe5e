"""Collect: the manifest, the data files and the crosswalk of a submission, up to the harmonised tables.

Nothing is imported here: the subprocess that parses data files passes through this package.
"""
