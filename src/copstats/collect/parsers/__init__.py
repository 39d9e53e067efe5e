"""Parsers of data files: run in the subprocess of `copstats.collect.reader_process` only."""
