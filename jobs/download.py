"""Dumps from a mirror, and crawl files from lists, to the folders that the other jobs read."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("download"))
