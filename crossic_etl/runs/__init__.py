"""The record of runs, and what needs no second run."""

from crossic_etl.runs.ledger import JobSpec
from crossic_etl.runs.record import recorded

__all__ = ["JobSpec", "recorded"]
