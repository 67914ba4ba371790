"""Windows of one arrangement to a folder that a trainer reads without Spark."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("export"))
