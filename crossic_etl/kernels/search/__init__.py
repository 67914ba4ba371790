"""Nearest-neighbour search over shards: its plan, indexes and thresholds."""
