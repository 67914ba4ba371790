"""Windows of one arrangement to a folder that a trainer reads without Spark."""

import sys
from collections.abc import Sequence

from pyspark.sql import SparkSession

from crossic_etl.arguments import parser
from crossic_etl.cli import checked_config, guarded
from crossic_etl.config import Config
from crossic_etl.config_errors import ConfigError, one_of
from crossic_etl.export import (
    Request,
    check_found,
    check_ids,
    check_samples,
    layout_of,
    plan_export,
    write_attribution_files,
    write_window_files,
)
from crossic_etl.export_folder import staging
from crossic_etl.export_manifest import Written, describe_export
from crossic_etl.kernels.tokenizers import load_tokenizer
from crossic_etl.ledger import JobSpec
from crossic_etl.runs import recorded
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.session import get_session
from crossic_etl.tables import Scope, Tables, condition
from crossic_etl.training.manifest import LAYOUTS
from crossic_etl.transforms.export import (
    attribute_samples,
    count_samples,
    place_windows,
    take_until,
)
from crossic_etl.transforms.mixture import MIXTURE

READS, WRITES = (WINDOWS, SAMPLES), ()
SPEC = JobSpec("export", READS)


def run(spark: SparkSession, config: Config, request: Request) -> None:
    """Writes the windows of the configured tokenizer, length and policy."""
    tables = Tables(spark, config.root)
    kind: Scope = {
        "arrangement": [request.arrangement],
        "tokenizer": [config.tokenizer],
        "window_length": [config.window.length],
        "policy": [config.window.policy],
    }
    if request.generation is not None:
        kind = {**kind, "generation": [request.generation]}
    tokenizer = load_tokenizer(config.tokenizer, config.split_token)
    layout = layout_of(request, config, tokenizer)
    with (
        recorded(tables, config, SPEC) as record,
        staging(request.to, request.overwrite) as folder,
    ):
        windows, samples = (
            tables.read_version(table, record.input_versions[table.name]) for table in READS
        )
        chosen = windows.where(condition(kind))
        check_found(windows, chosen, kind)
        placed = place_windows(chosen, config.seed)
        plan = plan_export(placed, request, config.window.length)
        taken = take_until(placed, plan.last_depth)
        attributed = attribute_samples(taken, samples)
        counts = count_samples(attributed).collect()
        check_samples(counts, config)
        files = write_window_files(taken, plan.files, folder.parts, layout)
        check_ids(files, tokenizer)
        record.rows_in, record.rows_out = plan.n_windows, sum(file["windows"] for file in files)
        record.dropped = {"over_budget": plan.n_windows - plan.n_taken}
        record.check()
        attribution = write_attribution_files(attributed, counts, folder.parts)
        written = Written(files, attribution, counts, record.input_versions)
        record.metrics = {"files": len(written.moves), "samples": written.n_samples}
        texts = describe_export(written, request, config, layout, tokenizer)
        folder.commit(written.moves, texts)


def main(argv: Sequence[str] | None = None) -> int:
    """Exports what the command line asks for; the exit status is 0, or 1 after an error."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--to", required=True, help="folder or URL of the export")
    arguments.add_argument("--arrangement", help="which windows, where there are several")
    arguments.add_argument("--layout", choices=LAYOUTS, default="parquet")
    arguments.add_argument("--tokens", type=int, help="stop at so many new training tokens")
    arguments.add_argument("--file-windows", type=int, help="windows in a file, about")
    arguments.add_argument("--generation", type=int, help="windows of this generation alone")
    arguments.add_argument("--overwrite", action="store_true", help="replace an export there")
    given = arguments.parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        request = Request(
            given.to, arrangement_of(config, given.arrangement), given.layout, given.tokens,
            given.file_windows, given.overwrite, given.generation,
        )  # fmt: skip
        run(get_session(), config, request)

    return guarded(action)


def arrangement_of(config: Config, given: str | None) -> str:
    """The arrangement to export: the one that was asked for, or the only one that is made.

    Raises:
        ConfigError: none was asked for, and there are several.
    """
    made = (*config.arrangements, *([MIXTURE] if config.mixture else []))
    if given is None and len(made) > 1:
        raise ConfigError("--arrangement", None, one_of(made))
    return given or made[0]


if __name__ == "__main__":
    sys.exit(main())
