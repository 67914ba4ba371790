"""Segments, arrangements, samples and windows."""
