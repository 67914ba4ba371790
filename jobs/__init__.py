"""The jobs: each reads, transforms and writes one table, and prints one line of counts."""

from importlib.util import find_spec

if find_spec("pyspark") is None:
    raise SystemExit(
        "error: package pyspark is missing: `make run` installs everything in .venv, "
        "so run .venv/bin/python instead of python"
    )
