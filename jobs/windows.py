"""Samples to the table ``windows``."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("windows"))
