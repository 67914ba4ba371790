"""Raw input: found, listed, read, and its damage handled."""
