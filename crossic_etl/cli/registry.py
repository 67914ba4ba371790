"""All commands: their names, the line that help has for each, and the module of each.

A command's module is imported when the command is run or its own help is asked for.
"""

from __future__ import annotations

import importlib

import click

from crossic_etl.cli.options import CONTEXT

# The jobs of the pipeline, in order (`crossic_etl.pipeline.flow.JOBS`).
JOBS = {
    "pages": "Wikipedia dumps to the tables pages and redirects.",
    "links": "SQL dumps and the pages' Wikidata items to the table links.",
    "pairs": "Edges between pages to the table pairs, one to one.",
    "documents": "Files of web crawls to the table documents; only new ones are read.",
    "embeddings": "Texts of pages and documents to the table embeddings.",
    "calibrate": "Margins of known pairs to the table thresholds, and a plot.",
    "neighbours": "English documents found for target-language texts to the table neighbours.",
    "samples": "Pairs, and what was retrieved, with their texts to the table samples.",
    "windows": "Samples to the table windows.",
}
OTHERS = {
    "run": "All jobs in order, in one session: dumps to training windows.",
    "sample": "The bundled sample: builds it, runs every job on it, shows the result.",
    "download": "Dumps from a mirror, and crawl files from lists, to folders.",
    "export": "Windows of one arrangement to a folder that a trainer reads without Spark.",
    "report": "All tables under a root as one HTML file.",
    "verify": "Checks every expectation of the tables that exist, and writes nothing.",
    "maintain": "Upkeep of the tables that exist.",
    "train": "Continued pre-training on exported windows.",
    "submit": "Training on an export, on this machine, Slurm, Kubernetes or Databricks.",
    "ablations": "The paper's comparison of arrangements: configurations and results.",
    "config": "A configuration: its JSON Schema, a check, a commented one to begin with.",
}
COMMANDS = {
    "run": OTHERS["run"], "sample": OTHERS["sample"], **JOBS, **OTHERS,
}  # fmt: skip
# Scripts in jobs/ that are named otherwise than their command.
SCRIPTS = {"pipeline": "run", "submit_training": "submit"}


class Registry(click.Group):
    """The command ``crossic-etl``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which help has them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, whose module is imported now; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in JOBS and cmd_name != "calibrate":
            from crossic_etl.cli.job import job_command

            return job_command(cmd_name, JOBS[cmd_name])
        command = importlib.import_module(f"crossic_etl.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument.

        Raises:
            click.UsageError: there is none of this name; says which may have been meant.
        """
        if args[0] not in COMMANDS:
            raise click.UsageError(unknown_command(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the table of commands, without an import of their modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def unknown_command(name: str) -> str:
    """What to say of a name that is none of a command."""
    from difflib import get_close_matches

    close = get_close_matches(name, [*COMMANDS, *SCRIPTS], n=1)
    if close:
        return f"no command {name!r}; did you mean {SCRIPTS.get(close[0], close[0])!r}?"
    return f"no command {name!r}, expected {', '.join(COMMANDS)}"


def print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Prints the version and ends."""
    if value and not ctx.resilient_parsing:
        from crossic_etl import __version__

        click.echo(f"crossic-etl {__version__}")
        ctx.exit()


cli = Registry(
    "crossic-etl",
    help="Wikipedia and web-crawl dumps to cross-lingual training windows, on Spark and Delta.",
    context_settings=CONTEXT,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=print_version,
            help="Print the version and exit.",
        )
    ],
)
