"""Nearest-neighbour search over shards, its plan, its thresholds."""
