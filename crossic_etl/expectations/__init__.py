"""Expectations of the tables' rows, and the rows that break them."""
