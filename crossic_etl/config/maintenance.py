"""Configuration of the job that keeps the tables in shape."""

from __future__ import annotations

from crossic_etl.config.errors import require
from crossic_etl.config.fields import Whole, settings


@settings("maintain")
class Maintain:
    """What is kept of what the tables were.

    Attributes:
        retention_hours: how long an older version of a table can be read; then its files go.
            Delta's default, 168, is also the least that it takes unless its check is turned off.
    """

    retention_hours: Whole = 168

    def __post_init__(self) -> None:
        hours = self.retention_hours
        require(hours >= 0, "maintain.retention_hours", hours, "hours >= 0")
