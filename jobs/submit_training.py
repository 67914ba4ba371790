"""Training on an export, handed to this machine, Slurm, Kubernetes or Databricks."""

from crossic_etl.cli.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main("submit_training"))
