"""Records runs, and finds jobs that need not run again."""

from crossic_etl.runs.job import Job
from crossic_etl.runs.record import recorded

__all__ = ["Job", "recorded"]
