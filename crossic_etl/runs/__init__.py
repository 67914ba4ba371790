"""The record of runs, and what needs no second run."""

from crossic_etl.runs.job import Job
from crossic_etl.runs.record import recorded

__all__ = ["Job", "recorded"]
