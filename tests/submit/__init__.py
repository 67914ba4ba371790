"""Submitting a training job."""
