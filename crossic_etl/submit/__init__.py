"""Submits training to this machine, a cluster or a service. Imports neither Spark nor torch."""
