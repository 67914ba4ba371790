"""Texts of pages and documents to the table ``embeddings``, those that aren't in it yet."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("embeddings"))
