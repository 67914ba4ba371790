"""Pairs, and what was retrieved, with their texts to the table ``samples``."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("samples"))
