"""Margins of known pairs to the table ``thresholds``: from which one on a neighbour is right."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("calibrate"))
