"""Exports the windows of one arrangement to a folder that a trainer reads without Spark."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.export.describe import WrittenFiles, describe_export
from crossic_etl.export.folder import staging
from crossic_etl.export.plan import (
    ExportRequest,
    check_found,
    check_ids,
    check_samples,
    layout_of,
    plan_export,
    write_attribution_files,
    write_window_files,
)
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, always
from crossic_etl.runs.record import Run
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.tables import Scope, Tables
from crossic_etl.tables.columns import condition
from crossic_etl.transforms.export import (
    attribute_samples,
    count_samples,
    place_windows,
    take_until,
)

log = logging.getLogger(__name__)


def run(spark: SparkSession, config: Config, request: ExportRequest) -> Run:
    """Writes the windows of the configured tokenizer, length and policy.

    Raises:
        TableError: there are no such windows, or they don't fit the samples or the tokenizer.
        ConfigError: the token budget exceeds the windows.
        ExportError: the folder can't be written, or holds something else.
    """
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
    layout = layout_of(request.layout, config.window.length, tokenizer.vocab_size)
    with (
        recorded(tables, config, JOB) as record,
        staging(request.to, request.overwrite) as folder,
    ):
        versions = record.input_versions
        windows = tables.read_version(WINDOWS, versions[WINDOWS.name])
        samples = tables.read_version(SAMPLES, versions[SAMPLES.name])
        chosen = windows.where(condition(kind))
        check_found(windows, chosen, kind)
        placed = place_windows(chosen, config.seed)
        plan = plan_export(placed, request, config.window.length)
        taken = take_until(placed, plan.last_depth)
        attributed = attribute_samples(taken, samples)
        counts = count_samples(attributed).collect()
        check_samples(counts, config.split_token)
        files = write_window_files(taken, plan.files, folder.parts, layout)
        check_ids(files, tokenizer)
        record.rows_in, record.rows_out = plan.n_windows, sum(file["windows"] for file in files)
        record.dropped = {"over_budget": plan.n_windows - plan.n_taken}
        record.check()
        attribution = write_attribution_files(attributed, counts, folder.parts)
        written = WrittenFiles(files, attribution, counts, record.input_versions)
        record.metrics = {"files": len(written.moves), "samples": written.n_samples}
        for name, shares in written.arrangements.items():
            log.info("export: %s: %s samples, %s", name, f"{shares.samples:,}", shares.line())
        texts = describe_export(
            written, request, layout, tokenizer,
            policy=config.window.policy, seed=config.seed, config_hash=config.digest(),
        )  # fmt: skip
        folder.commit(written.moves, texts)
    return record


JOB = Job(name="export", run=run, reads=always(WINDOWS, SAMPLES))
