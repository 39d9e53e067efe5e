"""Who asks, whether they may, and what no request gets past."""
