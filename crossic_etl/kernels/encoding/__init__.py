"""Encoders, and the parts of a text that they encode."""
