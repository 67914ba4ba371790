"""A package, so that a transform and a kernel may have tests of one name."""
