"""Draws the fictional submissions: model, design, national form, writers, planted faults."""
