"""The steps of the jobs ``calibrate`` and ``neighbours``."""
