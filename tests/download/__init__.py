"""A package, so that its tests find the mirror beside them."""
