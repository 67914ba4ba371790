"""Training on an export: reads its files without Spark. Only this room may import torch."""
