"""Edges between pages to the table ``pairs``, one to one."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("pairs"))
