"""Embeddings to the table ``neighbours``: English documents found for target-language texts."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("neighbours"))
