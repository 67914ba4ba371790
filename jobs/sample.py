"""The bundled sample: builds its dumps, runs every job on them, and shows what came out."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("sample"))
