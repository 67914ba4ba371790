"""What the tables promise of their rows, and the rows that break it."""
