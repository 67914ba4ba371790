"""Hands training to the machine, cluster or service that it runs on. Imports no Spark, no torch."""
