"""What a notebook is given: widgets on Databricks, environment variables anywhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# The bundle's own (deploy/databricks/databricks.yml).
DATABRICKS_ROOT = "main.crossic"


def parameter(name: str, default: str, dbutils: Any = None) -> str:
    """The value of a widget, where there are widgets; else of ``CROSSIC_ETL_NAME``; else a default.

    Args:
        name: of the widget, in lower case.
        default: what holds where nobody says otherwise.
        dbutils: what Databricks gives its notebooks under this name, None elsewhere.
    """
    if dbutils is None:
        return os.environ.get(f"CROSSIC_ETL_{name.upper()}", default)
    dbutils.widgets.text(name, default)  # leaves one that a job or a user has set as it is
    return str(dbutils.widgets.get(name))


def warehouse() -> str:
    """Where ``make run`` puts everything, from the repository's folder or its ``notebooks``."""
    here = Path.cwd()
    return str((here.parent if here.name == "notebooks" else here) / "warehouse")


def default_root() -> str:
    """The tables of ``make run``; on Databricks those of the bundle."""
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return DATABRICKS_ROOT
    return f"{warehouse()}/tables"
