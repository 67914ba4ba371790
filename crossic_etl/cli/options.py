"""The options that commands share. Imports click alone, so that help is quick."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from crossic_etl.log import FORMATS, console_logging

Function = TypeVar("Function", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["--help", "-h"], "max_content_width": 100}


class Command(click.Command):
    """A command with the options of logging, whose function returns the exit status or None.

    Args:
        to_stderr: messages go to standard error, as standard output is the command's result.
        own_signals: the command itself handles Ctrl-C and SIGTERM.
    """

    def __init__(
        self, *args: Any, to_stderr: bool = False, own_signals: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **kwargs)
        self.to_stderr, self.own_signals = to_stderr, own_signals
        self.params += logging_options()

    def invoke(self, ctx: click.Context) -> int:
        """Runs the function with its messages shown; the exit status."""
        from crossic_etl.cli.actions import guarded

        quiet, verbose = ctx.params.pop("quiet"), ctx.params.pop("verbose")
        if quiet and verbose:
            raise click.UsageError("--quiet: give it or --verbose, not both", ctx)
        level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
        call = super().invoke
        with console_logging(level, ctx.params.pop("log_format"), self.to_stderr):
            return guarded(lambda: call(ctx), self.own_signals)


class Commands(click.Group):
    """A command with commands of its own."""

    command_class = Command


class Choice(click.ParamType):  # type: ignore[type-arg]
    """One of the names that a function finds when a value is given: it may import much."""

    def __init__(self, name: str, find: Callable[[], Sequence[str]]) -> None:
        self.name, self.find = name, find

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value as it is.

        Raises:
            click.BadParameter: it isn't one of the names.
        """
        return click.Choice(list(self.find())).convert(value, param, ctx)


def logging_options() -> list[click.Parameter]:
    """What every command takes that says which messages are shown, and how."""
    return [
        click.Option(["--quiet"], is_flag=True, help="Show warnings and errors only."),
        click.Option(["--verbose"], is_flag=True, help="Show debug messages and loggers' names."),
        click.Option(
            ["--log-format"],
            type=click.Choice(FORMATS),
            default="text",
            help="Messages as text, or as one JSON object a line.",
        ),
    ]


def combine(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Several options as one decorator, in this order."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def configuration(example: str = "window.length=2048") -> Callable[[Function], Function]:
    """``--config`` and ``--set``, whose help has an example of an override."""
    return combine(
        click.option("--config", "path", required=True, metavar="FILE", help="YAML configuration."),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help=f"Override a key of the configuration, such as {example}.",
        ),
    )


waiting = click.option(
    "--no-wait", is_flag=True, help="Stop where another run writes under the same root."
)
writing = combine(
    click.option(
        "--reconfigure",
        is_flag=True,
        help="Replace what was made with other settings, instead of refusing to.",
    ),
    waiting,
)
