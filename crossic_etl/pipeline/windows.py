"""Job ``windows``: packs samples into the table ``windows``."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pyspark.sql import DataFrame, Row, SparkSession

from crossic_etl.config import Config
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.samples.names import SEPARATE
from crossic_etl.kernels.samples.shares import COUNTS, add_up
from crossic_etl.pipeline.window_changes import (
    SCRATCH,
    Packing,
    WindowKind,
    refresh_other_window_kinds,
    stage_changes,
    write_changes,
)
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, always
from crossic_etl.runs.ledger import settings_fingerprint
from crossic_etl.runs.record import Run
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.transforms.mixture import (
    MIXTURE,
    MissingSamplesError,
    choose_pairs,
    count_mixture,
    count_samples,
    mix_samples,
    sampling_rates,
)
from crossic_etl.transforms.windows import Streams, mark_threads, window_counts

log = logging.getLogger(__name__)

SETTINGS = ("shards", "seed", "window.order", "window.languages")


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Updates the windows of the configured arrangements, tokenizer, length and policy.

    A window is kept if all its samples are unchanged. New samples, and those of a removed window,
    are packed into windows of a new generation. All windows are made again as generation 0 with
    ``rebuild``, or if they were made with another seed, number of shards, order or code, or with
    languages mixed or separate where they aren't now.

    Windows of other lengths and policies are updated too, since they have the same samples. They
    are removed if samples have become longer than the window, which other settings can cause.

    Rows in are samples: each once, and once more if it may be in the mixture.

    Raises:
        UnfitSettingError: a sample is longer than a window.
    """
    tables = (inputs or RunInputs(spark, config)).tables
    scope = {"arrangement": config.arrangements, "tokenizer": [config.tokenizer]}
    arrangements = [*config.arrangements, *([MIXTURE] if config.mixture else [])]
    with recorded(tables, config, JOB) as record:
        samples = tables.select(SAMPLES, {**scope, "target_lang": config.languages})
        held = {row.arrangement: row for row in count_samples(samples).collect()}
        longest = {name: row.longest for name, row in held.items()}
        longest[MIXTURE] = max(longest.values(), default=0)
        check_length(config.window.length, longest[MIXTURE])
        packed, mixed = add_mixture(samples, held, config.mixture, config.seed, record)
        packing = packing_of(config)
        changes = stage_changes(tables, packing, packed, arrangements, rebuild)
        record.rows_used = sum(change.n_packed for change in changes)
        record.check()
        write_changes(tables, packing, changes)
        refresh_other_window_kinds(tables, packing, packed, arrangements, longest)
        windows = tables.select(WINDOWS, packing.scope(arrangements))
        record.metrics = window_counts(windows).head(1)[0].asDict() | mixed
        record.rows_out = record.metrics["windows"]
    return record


def packing_of(config: Config) -> Packing:
    """The configured settings for packing samples."""
    kind = WindowKind(config.window.length, config.window.policy)
    apart = config.languages if config.window.languages == SEPARATE else ()
    streams = Streams(config.shards, config.seed, config.window.order, tuple(apart))
    return Packing(config.tokenizer, kind, streams, settings_fingerprint(config, SETTINGS))


def check_length(length: int, longest: int) -> None:
    """Refuses windows that are shorter than the longest sample; both in tokens.

    Raises:
        UnfitSettingError: names the least length.
    """
    if longest > length:
        raise UnfitSettingError(
            f"window.length: {length} given, but samples are up to {longest} tokens long; take "
            "windows of that length, or make them anew: run the pipeline with --from samples "
            "--reconfigure"
        )


def add_mixture(
    samples: DataFrame,
    held: Mapping[str, Row],
    mixture: Mapping[str, float],
    seed: int,
    record: Run,
) -> tuple[DataFrame, dict[str, int]]:
    """The samples with those of the mixture, and the mixture's counts of each arrangement.

    The counts are tokens, as ``mixture_{arrangement}``, and those of `kernels.samples.shares`.
    They have the columns of `mark_threads`.

    ``held`` has a row of `count_samples` for each arrangement; ``mixture`` has its token share.

    Raises:
        UnfitSettingError: an arrangement of the mixture has no samples, and others have.
    """
    record.rows_in = sum(row.samples for row in held.values())
    if not mixture or not held:
        return mark_threads(samples), {}
    tokens = {name: row.tokens for name, row in held.items()}
    try:
        rates = sampling_rates(tokens, mixture)
    except MissingSamplesError as error:
        raise UnfitSettingError(str(error)) from None
    record.rows_in += sum(held[name].samples for name in rates)
    chosen = choose_pairs(samples, rates, seed)
    counts = count_mixture(chosen).orderBy("arrangement").collect()
    record.dropped[MIXTURE] = sum(row.left_out for row in counts)
    counted: dict[str, int] = {}
    for row in counts:
        key = f"{MIXTURE}_{row.arrangement}"
        counted |= {key: row.tokens} | {f"{key}_{name}": row[name] for name in COUNTS}
        shares = add_up([row]).line()
        log.info("mixture: %s: %s tokens, %s", row.arrangement, f"{row.tokens:,}", shares)
    mixed = mix_samples(mark_threads(samples, in_mixture=True), chosen)
    return mark_threads(samples).unionByName(mixed), counted


JOB = Job(
    name="windows",
    run=run,
    writes=(WINDOWS,),
    reads=always(SAMPLES),
    settings=SETTINGS,
    inputs=("languages", "arrangements", "tokenizer", "window", "mixture"),
    can_rebuild=True,
    scratch=SCRATCH,
)
