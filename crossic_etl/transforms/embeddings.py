"""Texts to vectors: which texts have none yet, and the encoder over them in ``mapInArrow``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from crossic_etl.kernels.encoding.embedding import (
    NOT_FINITE,
    Embedded,
    embed_batch,
    vectors_to_arrow,
)
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.sentence_transformers import choose_device
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import Encoder, EncoderChoice, EncoderSpec, Kind
from crossic_etl.schemas import EMBEDDINGS, STAGED_EMBEDDINGS
from crossic_etl.transforms.arrow import Batches, rebatch
from crossic_etl.transforms.source_ids import page_source_id

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import TaskContext

EMBED, EMBEDDED = "embed", "embedded"
ALREADY, NOT_NEEDED, DISAMBIGUATION, GONE = (
    *("already_embedded", "not_needed"),
    *("disambiguation", "gone"),
)
BROKEN = (NOT_FINITE,)

# Ours: right answers for thresholds, so many of each language that two of a thousand show.
CALIBRATION_PAIRS = 2_000
# Ours: texts that are sorted by length and encoded together; some MB with their vectors.
ROWS_AT_ONCE = 512
# Ours: a task starts in a tenth of a second, and one that is lost has at most an hour's work.
FEWEST_IN_A_TASK, MOST_IN_A_TASK, MANY_TASKS = 128, 20_000, 1_000
FILES_OF_A_UNIT = 16
# Of a text of which the encoder sees the lead, so many spans' length is sent to it, for what
# stands before the first letter.
LEADS_SENT = 4
ROLES: tuple[Kind, ...] = ("query", "passage")
DETAIL = 200


def choose_texts(
    pages: DataFrame, pairs: DataFrame, documents: DataFrame, queries: str, seed: int
) -> DataFrame:
    """``id, kind, lang, text_hash, outcome`` of each page and document; ids are unique.

    ``embed``: English documents, and as ``queries`` says pages or documents of the other languages.
    Thresholds need right answers besides: both pages of some pairs of each language, chosen by a
    hash with the seed. Other English pages are nobody's query and nobody's answer.
    """
    needed = _calibration_pages(pairs, seed).withColumn("needed", F.lit(True))
    is_query = (F.col("lang") != "en") & F.lit(queries == "pages")
    chosen_pages = (
        _page_ids(pages)
        .join(needed, on="id", how="left")
        .withColumn(
            "outcome",
            F.when(F.col("is_disambiguation"), DISAMBIGUATION)
            .when(is_query | F.col("needed"), EMBED)
            .otherwise(NOT_NEEDED),
        )
    )
    is_wanted = (F.col("lang") == "en") | F.lit(queries == "documents")
    chosen_documents = _document_ids(documents).withColumn(
        "outcome", F.when(is_wanted, EMBED).otherwise(NOT_NEEDED)
    )
    columns = ("id", "kind", "lang", "text_hash", "outcome")
    return chosen_pages.select(*columns).unionByName(chosen_documents.select(*columns))


def _page_ids(pages: DataFrame) -> DataFrame:
    return pages.withColumn("id", page_source_id(F.col("lang"), "page_id")).withColumn(
        "kind", F.lit("page")
    )


def _document_ids(documents: DataFrame) -> DataFrame:
    return documents.withColumnRenamed("doc_id", "id").withColumn("kind", F.lit("document"))


def choose_known_pairs(pairs: DataFrame, seed: int) -> DataFrame:
    """``pairs`` with ``en_id, target_id, chosen``: the ids that their pages have in ``embeddings``,
    and whether they are among the `CALIBRATION_PAIRS` of their language that come first by hash.
    """
    order = [F.xxhash64(F.lit(seed), F.lit("calibration"), F.col("pair_id")), F.col("pair_id")]
    place = F.row_number().over(Window.partitionBy("target_lang").orderBy(*order))
    return pairs.select(
        "*",
        page_source_id(F.lit("en"), "en_page_id").alias("en_id"),
        page_source_id(F.col("target_lang"), "target_page_id").alias("target_id"),
        (place <= CALIBRATION_PAIRS).alias("chosen"),
    )


def _calibration_pages(pairs: DataFrame, seed: int) -> DataFrame:
    """``id``, once each, of both pages of the pairs that are chosen."""
    both = F.explode(F.array("en_id", "target_id"))
    return choose_known_pairs(pairs, seed).where("chosen").select(both.alias("id")).distinct()


def plan_embeddings(texts: DataFrame, held: DataFrame, half: bool) -> DataFrame:
    """What is to be done: ``outcome, stale, id, kind, n``; ``n`` sums to the texts.

    ``texts`` are `choose_texts`'s, ``held`` the rows of ``embeddings`` with the chosen encoder and
    span rule; ids are unique in both. A row is ``stale`` where its id holds a vector of another
    text, or of none (``gone`` from the sources), or in the other of the two forms: a search reads
    one. Rows that ask for nothing are summed up, without id, so that what comes after costs what
    is new.
    """
    joined = texts.alias("text").join(
        held.select(
            "id", "kind", "lang", "text_hash", F.col("half_vector").isNotNull().alias("half")
        ).alias("held"),
        on=F.col("text.id") == F.col("held.id"),
        how="full",
    )
    same = F.coalesce(
        (F.col("text.kind") == F.col("held.kind"))
        & (F.col("text.lang") == F.col("held.lang"))
        & (F.col("text.text_hash") == F.col("held.text_hash"))
        & (F.col("held.half") == F.lit(half)),
        F.lit(False),
    )
    asked = F.col("text.outcome")
    # A vector that isn't needed under this configuration may be under the next: it stays.
    kept = same & asked.isin(EMBED, NOT_NEEDED)
    planned = joined.select(
        F.when(F.col("text.id").isNull(), GONE)
        .when(same & (asked == EMBED), ALREADY)
        .otherwise(asked)
        .alias("outcome"),
        (F.col("held.id").isNotNull() & ~kept).alias("stale"),
        F.coalesce("text.id", "held.id").alias("id"),
        F.coalesce("text.kind", "held.kind").alias("kind"),
        F.when(F.col("text.id").isNull(), 0).otherwise(1).alias("one"),
    )
    asks = F.col("stale") | (F.col("outcome") == EMBED)
    return planned.groupBy(
        "outcome",
        "stale",
        F.when(asks, F.col("id")).alias("id"),
        F.when(asks, F.col("kind")).alias("kind"),
    ).agg(F.sum("one").cast("long").alias("n"))


def select_new(plan: DataFrame) -> DataFrame:
    """The rows of the plan that are a text to embed each."""
    return plan.where(F.col("outcome") == EMBED)


def select_texts(
    plan: DataFrame, pages: DataFrame, documents: DataFrame, rule: SpanRule
) -> DataFrame:
    """``id, kind, lang, text_hash, text, stale, role`` of what the plan says to embed."""
    text = F.col("text")
    if rule.kind == "lead":
        text = F.substring(text, 1, LEADS_SENT * rule.max_characters)
    columns = ("id", "kind", "lang", "text_hash", text.alias("text"))
    texts = _page_ids(pages).select(*columns).unionByName(_document_ids(documents).select(*columns))
    wanted = select_new(plan).select("id", "kind", "stale")
    role = F.when(F.col("lang") == "en", "passage").otherwise("query")
    return texts.join(wanted, on=["id", "kind"], how="inner").withColumn("role", role)


def number_units(texts: DataFrame, n_units: int) -> DataFrame:
    """`select_texts`'s rows with ``unit``, 0 to ``n_units`` - 1 by a hash of their ids; those of a
    unit are in few tasks, which write few files.
    """
    numbered = texts.withColumn("unit", F.pmod(F.xxhash64("id"), F.lit(n_units)).cast("int"))
    spread = F.pmod(F.xxhash64(F.lit("file"), F.col("id")), F.lit(FILES_OF_A_UNIT))
    return numbered.repartition("unit", spread)


def task_number(n_texts: int) -> int:
    """Tasks for so many texts: enough to share the work out, and none too long to do again."""
    shares = -(-n_texts // FEWEST_IN_A_TASK)
    return max(1, min(shares, max(MANY_TASKS, -(-n_texts // MOST_IN_A_TASK))))


def embed_texts(texts: DataFrame, choice: EncoderChoice, n_tasks: int) -> DataFrame:
    """Staged embeddings of `select_texts`'s rows, one for each: ``embedded``, or why not.

    Texts are spread by a hash of their ids over a stated number of tasks: an adaptive plan would
    join small texts into one task, since it measures bytes and not the encoder's work. A task sorts
    them, so that one that is run again makes the same batches: many models round a text otherwise
    beside other texts.
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


def select_outcomes(plan: DataFrame, staged: DataFrame) -> DataFrame:
    """``outcome, n`` of every text that was read."""
    settled = plan.where(F.col("outcome") != EMBED)
    return settled.select("outcome", "n").unionByName(staged.select("outcome", "n"))


def select_embeddings(staged: DataFrame) -> DataFrame:
    """``embeddings``: the staged rows that have a vector."""
    return staged.where(F.col("outcome") == EMBEDDED).select(EMBEDDINGS.columns)


def select_gone(plan: DataFrame, staged: DataFrame, choice: EncoderChoice) -> DataFrame:
    """The keys of stale rows of ``embeddings`` that no new row replaces."""
    ids = (
        plan.where(F.col("stale") & (F.col("outcome") != EMBED))
        .select("id")
        .unionByName(staged.where(F.col("stale") & (F.col("outcome") != EMBEDDED)).select("id"))
    )
    return ids.select(
        "id",
        F.lit(choice.model).alias("model"),
        F.lit(choice.revision).alias("revision"),
        F.lit(choice.rule.name).alias("span_rule"),
    )
