"""Training on an export: reads its files, never Spark; alone in the package may import torch."""
