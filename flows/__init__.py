"""Thin Prefect flows: when each step runs. Parameters are ids, paths and labels, never data."""
