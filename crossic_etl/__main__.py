"""``python -m crossic_etl`` is the command ``crossic-etl``."""

from crossic_etl.cli.__main__ import console

if __name__ == "__main__":
    console()
