"""Which texts are embedded: planned against the vectors that are held, and their rows selected."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.encoding.embedding import NOT_FINITE
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.schemas import EMBEDDINGS
from crossic_etl.transforms.encoding import EMBEDDED
from crossic_etl.transforms.source_ids import page_source_id

EMBED = "embed"
ALREADY, NOT_NEEDED = "already_embedded", "not_needed"
DISAMBIGUATION, GONE = "disambiguation", "gone"
BROKEN = (NOT_FINITE,)

# Ours: right answers for thresholds, so many of each language that two of a thousand show.
CALIBRATION_PAIRS = 2_000
FILES_OF_A_CHUNK = 16
# A lead encoder is sent so many spans' length of a text, as what stands before the first letter is
# skipped.
LEADS_SENT = 4


def choose_texts(
    pages: DataFrame, pairs: DataFrame, documents: DataFrame, queries: str, seed: int
) -> DataFrame:
    """``id, kind, lang, text_hash, outcome`` of each page and document; ids are unique.

    ``embed``: English documents, and the pages or documents of the other languages, as ``queries``
    says. The calibration of thresholds needs both pages of some pairs of each language, chosen by a
    hash with the seed. Other English pages are not needed.
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


def choose_calibration_pairs(pairs: DataFrame, seed: int) -> DataFrame:
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
    return choose_calibration_pairs(pairs, seed).where("chosen").select(both.alias("id")).distinct()


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


def number_chunks(texts: DataFrame, n_chunks: int) -> DataFrame:
    """`select_texts`'s rows with ``chunk``, 0 to ``n_chunks`` - 1 by a hash of their ids.

    The rows of a chunk are in few tasks, which write few files.
    """
    numbered = texts.withColumn("chunk", F.pmod(F.xxhash64("id"), F.lit(n_chunks)).cast("int"))
    spread = F.pmod(F.xxhash64(F.lit("file"), F.col("id")), F.lit(FILES_OF_A_CHUNK))
    return numbered.repartition("chunk", spread)


def select_outcomes(plan: DataFrame, staged: DataFrame) -> DataFrame:
    """``outcome, n`` of every text that was read."""
    resolved = plan.where(F.col("outcome") != EMBED)
    return resolved.select("outcome", "n").unionByName(staged.select("outcome", "n"))


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
