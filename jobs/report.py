"""All tables under a root as one HTML file: counts, distributions, and samples to read."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("report"))
