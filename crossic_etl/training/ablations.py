r"""The paper's comparison of arrangements: its configurations, and the table of its results.

    python -m crossic_etl.training.ablations plan --config crossic.yaml --training training.yaml \
        --tokens 100000000 --output ablations
    sh ablations/run.sh
    python -m crossic_etl.training.ablations table ablations

Each model is trained on one arrangement and validated on every arrangement. All models see the same
number of tokens, from the beginning of the same order of documents, with the same settings and
seed. Losses are comparable within one validation set, which is the same text for all models, but
not between sets.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from crossic_etl.config.errors import ConfigError, one_of, require
from crossic_etl.config.loading import build
from crossic_etl.config.training import TrainingConfig
from crossic_etl.config.yaml_file import read_yaml
from crossic_etl.export.manifest import MANIFEST, ExportError, read_manifest
from crossic_etl.kernels.samples.names import ARRANGEMENTS
from crossic_etl.training.errors import TrainingError
from crossic_etl.training.outputs import FINAL, read_metrics, read_record

# Of the paper (arXiv 2504.20484): the method, the reversed direction, Mix-PT, and the controls.
COMPARED = tuple(ARRANGEMENTS)
ALL, UNTRAINED, MISSING = "all", "(untrained)", "–"


def training_configs(
    tree: Mapping[str, Any], folder: Path, arrangements: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """A training configuration for each arrangement; all other settings are those of ``tree``.

    Raises:
        ConfigError: ``tree`` isn't a training configuration.
    """
    exports = {name: str(folder / "exports" / name) for name in arrangements}
    found = {}
    for name in arrangements:
        validation = tree.get("validation", {})
        require(isinstance(validation, dict), "validation", validation, "a mapping of keys")
        found[name] = {
            **tree,
            "exports": [exports[name]],
            "output": str(folder / "runs" / name),
            "validation": {**validation, "exports": exports, "select": name},
        }
        build(TrainingConfig, found[name])
    return found


def script(config: str, folder: Path, arrangements: Sequence[str], tokens: int) -> str:
    """The shell script that exports, trains and prints the table; ``TRAIN`` may name torchrun."""
    lines = [
        "#!/bin/sh -e",
        "# On eight GPUs: TRAIN='torchrun --nproc-per-node 8' sh run.sh",
        'PYTHON="${PYTHON:-python}"',
        'TRAIN="${TRAIN:-$PYTHON}"',
    ]
    for name in arrangements:
        output = folder / "exports" / name
        command = [
            "-m", "crossic_etl", "export", "--config", config, "--arrangement", name,
            "--tokens", str(tokens), "--to", str(output),
        ]  # fmt: skip
        done = shlex.quote(str(output / "manifest.json"))
        lines.append(f"[ -e {done} ] || $PYTHON {shlex.join(command)}")
    for name in arrangements:
        file = shlex.quote(str(folder / f"{name}.yaml"))
        lines.append(f"$TRAIN -m crossic_etl.training --config {file}")
    lines.append(f"$PYTHON -m crossic_etl.training.ablations table {shlex.quote(str(folder))}")
    return "\n".join(lines) + "\n"


def plan(
    config: str, training: str, folder: Path, tokens: int, arrangements: Sequence[str] = COMPARED
) -> Path:
    """Writes ``{arrangement}.yaml`` for each, and ``run.sh``, to ``folder``; returns the script.

    Raises:
        ConfigError: an unknown arrangement, or ``training`` is no training configuration.
    """
    for name in arrangements:
        require(name in COMPARED, "--arrangements", name, one_of(COMPARED))
    require(tokens > 0, "--tokens", tokens, "tokens > 0")
    file = read_yaml(training)
    with file.locating():
        configs = training_configs(file.tree, folder, arrangements)
    folder.mkdir(parents=True, exist_ok=True)
    for name, tree in configs.items():
        text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    path = folder / "run.sh"
    path.write_text(script(config, folder, arrangements, tokens), encoding="utf-8")
    return path


def table(folder: Path) -> str:
    """Validation losses as Markdown: for each validation set, a row for each trained model.

    The losses are those of the checkpoint that each run chose; an unfinished run has dashes. The
    first row of a set is the model before training. A second table has the shares of the samples
    that each arrangement was trained on; an export that isn't there has dashes.

    Raises:
        TrainingError: there is no run in ``folder``.
        ManifestError: an export's manifest can't be read.
    """
    names = [name for name in COMPARED if (folder / f"{name}.yaml").exists()]
    if not names:
        raise TrainingError(f"{folder}: no ablations; `plan` makes them")
    losses = {name: _losses(folder / "runs" / name) for name in names}
    languages = sorted({key[1] for run in losses.values() for key in run[0]} - {ALL})
    columns = [ALL, *languages]
    lines = [
        f"| validated on | trained on | {' | '.join(columns)} |",
        f"|{'---|' * 2}{'---:|' * len(columns)}",
    ]
    for validated in names:
        before = next((run[0] for run in losses.values() if run[0]), {})
        rows = [(UNTRAINED, before), *((name, run[1]) for name, run in losses.items())]
        for trained, found in rows:
            cells = [
                f"{found[validated, language]:.4f}" if (validated, language) in found else MISSING
                for language in columns
            ]
            lines.append(f"| {validated} | {trained} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_share_lines(folder, names)])


def _share_lines(folder: Path, names: Sequence[str]) -> list[str]:
    lines = [
        "| arrangement | samples | similarity | one-sided | lopsided |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in names:
        export = folder / "exports" / name
        there = (export / MANIFEST).exists()
        shares = read_manifest(export).arrangements.get(name) if there else None
        cells = (f"{shares.samples:,}", *shares.cells()) if shares else (MISSING,) * 4
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


Losses = dict[tuple[str, str], float]


def _losses(output: Path) -> tuple[Losses, Losses]:
    """Losses by set and language, before training and at the chosen checkpoint."""
    final = output / FINAL
    chosen = read_record(final)["step"] if final.exists() else None
    lines = [line for line in read_metrics(output) if line["kind"] == "validation"]
    before, after = (
        {(line["set"], line["language"]): line["loss"] for line in lines if line["step"] == step}
        for step in (0, chosen)
    )
    return before, after


def main(argv: Sequence[str] | None = None) -> int:
    """Plans ablations or prints their table; the exit status is 0, or 1 after a line of error."""
    arguments = argparse.ArgumentParser(description="The comparison of arrangements.")
    commands = arguments.add_subparsers(dest="command", required=True)
    planned = commands.add_parser("plan", help="write configurations and the script that runs them")
    planned.add_argument("--config", required=True, metavar="FILE", help="of the ETL")
    planned.add_argument("--training", required=True, metavar="FILE", help="of training")
    planned.add_argument("--tokens", required=True, type=int, help="new tokens of each export")
    planned.add_argument("--output", required=True, type=Path, metavar="FOLDER")
    planned.add_argument("--arrangements", nargs="+", default=list(COMPARED), metavar="NAME")
    printed = commands.add_parser("table", help="print the validation losses")
    printed.add_argument("folder", type=Path, metavar="FOLDER")
    given = arguments.parse_args(argv)
    try:
        if given.command == "table":
            print(table(given.folder))
        else:
            print(
                plan(given.config, given.training, given.output, given.tokens, given.arrangements)
            )
    except (ConfigError, ExportError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
