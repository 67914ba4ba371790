"""Upkeep of the tables that exist: later columns, layout of files, old files, scratch tables."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("maintain"))
