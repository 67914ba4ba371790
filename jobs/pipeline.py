"""All jobs in order, in one session: dumps to training windows."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("pipeline"))
