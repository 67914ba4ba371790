"""What ``make bench`` prints: ratios of two things measured in one run."""
