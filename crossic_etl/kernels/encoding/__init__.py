"""Encoders, and what of a text they see."""
