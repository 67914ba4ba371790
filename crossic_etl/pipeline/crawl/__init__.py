"""The steps of the job ``documents``."""
