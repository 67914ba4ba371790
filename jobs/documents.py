"""Files of web crawls to the table ``documents``; only those that are new are read."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("documents"))
