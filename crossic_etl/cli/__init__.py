"""The command ``crossic-etl``: a module for each subcommand."""
