"""The encoder over texts in ``mapInArrow``: tasks, batches, and staged rows of embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from crossic_etl.kernels.encoding.embedding import Embedded, embed_batch, vectors_to_arrow
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.sentence_transformers import choose_device
from crossic_etl.kernels.encoding.spec import Encoder, EncoderChoice, EncoderSpec, Kind
from crossic_etl.schemas import STAGED_EMBEDDINGS
from crossic_etl.transforms.arrow import Batches, rebatch

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import TaskContext

EMBEDDED = "embedded"
# Ours: texts that are sorted by length and encoded together; some MB with their vectors.
ROWS_AT_ONCE = 512
# Ours: a task starts in a tenth of a second, and one that is lost has at most an hour's work.
FEWEST_IN_A_TASK, MOST_IN_A_TASK, MANY_TASKS = 128, 20_000, 1_000
ROLES: tuple[Kind, ...] = ("query", "passage")
DETAIL = 200


def task_number(n_texts: int) -> int:
    """How many tasks embed so many texts: all cores have work, and a lost task costs little."""
    shares = -(-n_texts // FEWEST_IN_A_TASK)
    return max(1, min(shares, max(MANY_TASKS, -(-n_texts // MOST_IN_A_TASK))))


def embed_texts(texts: DataFrame, choice: EncoderChoice, n_tasks: int) -> DataFrame:
    """A staged embedding for each of `select_texts`'s rows: ``embedded``, or why it has no vector.

    Texts are spread by a hash of their ids over a stated number of tasks: an adaptive plan would
    join small texts into one task, since it measures bytes and not the encoder's work. A task sorts
    its texts, so that a repeated task makes the same batches: many models give a text slightly
    different vectors beside other texts.
    """

    def run(batches: Batches) -> Batches:
        yield from embed_batches(batches, choice)

    spread = texts.repartition(n_tasks, "id").sortWithinPartitions("id")
    return spread.mapInArrow(run, STAGED_EMBEDDINGS)


def embed_batches(batches: Batches, choice: EncoderChoice) -> Batches:
    """Arrow batches of texts to staged embeddings, inside of a task.

    Raises:
        RuntimeError: the worker's encoder is another one, or rows out are not rows in.
    """
    from pyspark import TaskContext

    for batch in rebatch(batches, ROWS_AT_ONCE):
        encoder = task_encoder(choice, TaskContext.get())
        parts = [_embed(part, role, encoder, choice) for role, part in _by_role(batch)]
        n_rows = sum(part.num_rows for part in parts)
        if n_rows != batch.num_rows:
            raise RuntimeError(f"embeddings: {batch.num_rows} texts gave {n_rows} rows")
        yield from parts


def task_encoder(choice: EncoderChoice, task: TaskContext | None) -> Encoder:
    """The encoder with the task's own cores and GPU, loaded once for each Python worker.

    Raises:
        RuntimeError: a worker's package or folder holds another model than the driver's.
    """
    encoder = load_encoder(task_spec(choice.spec, task))
    if (encoder.name, encoder.revision) != (choice.model, choice.revision):
        raise RuntimeError(
            f"encoder {encoder.name} {encoder.revision} on this worker, but "
            f"{choice.model} {choice.revision} on the driver: install the same on both"
        )
    return encoder


def task_spec(spec: EncoderSpec, task: TaskContext | None) -> EncoderSpec:
    """The spec with as many threads as Spark gives the task cores, and its GPU where it has one."""
    if task is None:
        return spec
    gpu = (task.resources() or {}).get("gpu")
    device = choose_device(gpu.addresses, len(gpu.addresses)) if gpu and gpu.addresses else None
    return replace(spec, threads=max(1, task.cpus() or 1), device=spec.device or device)


def _by_role(batch: pa.RecordBatch) -> Iterator[tuple[Kind, pa.RecordBatch]]:
    import pyarrow.compute as pc

    for role in ROLES:
        part = batch.filter(pc.equal(batch.column("role"), role))
        if part.num_rows:
            yield role, part


def _embed(
    batch: pa.RecordBatch, role: Kind, encoder: Encoder, choice: EncoderChoice
) -> pa.RecordBatch:
    texts, langs = batch.column("text").to_pylist(), batch.column("lang").to_pylist()
    embedded = embed_batch(encoder, texts, langs, role, choice.rule)
    n_rows = batch.num_rows
    values: dict[str, Any] = {
        **{name: batch.column(name) for name in ("id", "kind", "lang", "text_hash", "stale")},
        "outcome": [reason or EMBEDDED for reason in embedded.reasons],
        "model": [encoder.name] * n_rows,
        "revision": [encoder.revision] * n_rows,
        "span_rule": [choice.rule.name] * n_rows,
        "spans": embedded.spans,
        **_vectors(embedded, choice.half),
        "n": [1] * n_rows,
        "key": batch.column("id"),
        "detail": [
            text[:DETAIL] if reason and text else None
            for text, reason in zip(texts, embedded.reasons, strict=True)
        ],
    }
    return _record_batch(values)


def _vectors(embedded: Embedded, half: bool) -> dict[str, Any]:
    stored = vectors_to_arrow(embedded, half)
    nothing = [None] * len(stored)
    return (
        {"vector": nothing, "half_vector": stored}
        if half
        else {"vector": stored, "half_vector": nothing}
    )


def _record_batch(values: dict[str, Any]) -> pa.RecordBatch:
    import pyarrow as pa

    schema = to_arrow_schema(STAGED_EMBEDDINGS)
    arrays = [
        value.cast(field.type) if isinstance(value, pa.Array) else pa.array(value, field.type)
        for field, value in ((field, values[field.name]) for field in schema)
    ]
    return cast("pa.RecordBatch", pa.RecordBatch.from_arrays(arrays, schema=schema))
