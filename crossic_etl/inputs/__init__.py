"""Finds, lists and reads raw input, and handles damage in it."""
