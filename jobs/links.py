"""SQL dumps and the pages' Wikidata items to the table ``links``."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("links"))
