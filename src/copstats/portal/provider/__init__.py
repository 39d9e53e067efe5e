"""Pages of a statistics office: what it sent, what came of it, what it has to do next."""
