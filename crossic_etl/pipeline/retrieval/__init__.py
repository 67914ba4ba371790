"""What the jobs ``calibrate`` and ``neighbours`` are made of."""
