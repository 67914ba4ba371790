"""Checks every expectation of the tables that exist, and writes nothing."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("verify"))
