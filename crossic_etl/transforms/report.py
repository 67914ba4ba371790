"""Tables to the small frames of a report: counts, distributions, and samples to look at."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.encoding.similarity import side_cosines
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.schemas import DOUBLE, STRING
from crossic_etl.transforms.arrow import Batches, rebatch, to_batches
from crossic_etl.transforms.encoding import task_encoder

# Both directions of a link are two of a pair's evidence, a shared Wikidata item the third.
EVIDENCE = ("both directions and item", "both directions", "item and one direction", "item",
            "from English", "to English")  # fmt: skip

# Ours: texts that the encoder embeds at once, and tasks that the texts are spread over.
ROWS_AT_ONCE = 64
SIMILARITY_TASKS = 8

# Ranked of each group: about so many times the wanted rows, and not the whole group.
MARGIN = 8

SIMILARITY = T.StructType(
    [
        T.StructField("arrangement", STRING),
        T.StructField("target_lang", STRING),
        T.StructField("cosine", DOUBLE),
    ]
)


def count_rows(frame: DataFrame, by: Sequence[str]) -> DataFrame:
    """``*by, rows``: the number of rows of each group."""
    return frame.groupBy(*by).agg(F.count("*").alias("rows"))


def count_rejects(rejects: DataFrame) -> DataFrame:
    """``table, reason, rows, key, detail``: an example of each reason, the first by its key."""
    example = F.min(F.struct("key", "detail"))
    counted = rejects.groupBy("table", "reason").agg(
        F.count("*").alias("rows"), example.alias("example")
    )
    return counted.select("table", "reason", "rows", "example.key", "example.detail")


def count_evidence(pairs: DataFrame) -> DataFrame:
    """``target_lang, evidence, rows``; ``evidence`` is one of `EVIDENCE`."""
    has_item = F.array_contains("evidence", "qid")
    from_english = F.exists("evidence", lambda name: name.startswith("en->"))
    to_english = F.exists("evidence", lambda name: name.endswith("->en"))
    both = from_english & to_english
    kind = (
        F.when(both & has_item, EVIDENCE[0])
        .when(both, EVIDENCE[1])
        .when(has_item & (from_english | to_english), EVIDENCE[2])
        .when(has_item, EVIDENCE[3])
        .when(from_english, EVIDENCE[4])
        .otherwise(EVIDENCE[5])
    )
    return count_rows(
        pairs.select("target_lang", kind.alias("evidence")), ["target_lang", "evidence"]
    )


def describe(frame: DataFrame, by: Sequence[str], value: Column) -> DataFrame:
    """``*by, rows, mean, p10, p50, p90, most`` of a number; ranks of quantiles within 0.001."""
    named = frame.select(*by, value.alias("value")).where(F.col("value").isNotNull())
    return (
        named.groupBy(*by)
        .agg(
            F.count("*").alias("rows"),
            F.avg("value").alias("mean"),
            F.percentile_approx("value", [0.1, 0.5, 0.9], 1000).alias("parts"),
            F.max("value").cast("double").alias("most"),
        )
        .select(
            *by,
            "rows",
            "mean",
            *[
                F.col("parts")[place].cast("double").alias(name)
                for place, name in enumerate(("p10", "p50", "p90"))
            ],
            "most",
        )
    )


def histogram(frame: DataFrame, by: Sequence[str], value: Column, step: float) -> DataFrame:
    """``*by, bin, rows``: how many values are in ``[bin * step, (bin + 1) * step)``."""
    place = F.floor(value / F.lit(step)).cast("int").alias("bin")
    return count_rows(frame.where(value.isNotNull()).select(*by, place), [*by, "bin"])


def histogram_octaves(frame: DataFrame, by: Sequence[str], value: Column) -> DataFrame:
    """``*by, bin, rows``: how many values are in ``[2 ** (bin / 2), 2 ** ((bin + 1) / 2))``.

    Values under 1 count as 1.
    """
    place = F.floor(F.log2(F.greatest(value, F.lit(1))) * 2).cast("int").alias("bin")
    return count_rows(frame.where(value.isNotNull()).select(*by, place), [*by, "bin"])


def measure_windows(windows: DataFrame) -> DataFrame:
    """``arrangement, split, policy, window_length, rows, samples, new, repeated, padding``."""
    by = ("arrangement", "split", "policy", "window_length")
    return windows.groupBy(*by).agg(
        F.count("*").alias("rows"),
        F.sum("n_whole").alias("samples"),
        F.sum("n_new").alias("new"),
        F.sum("n_repeated").alias("repeated"),
        F.sum("n_padding").alias("padding"),
    )


def measure_neighbours(neighbours: DataFrame) -> DataFrame:
    """``target_lang, query_kind, queries, rows, mutual, accepted``."""
    return neighbours.groupBy("target_lang", "query_kind").agg(
        F.countDistinct("query_id").alias("queries"),
        F.count("*").alias("rows"),
        F.count_if("mutual").alias("mutual"),
        F.count_if("accepted").alias("accepted"),
    )


def sample_groups(
    frame: DataFrame, by: Sequence[str], key: str, most: int, seed: int, name: str
) -> DataFrame:
    """Up to ``most`` rows of each group: those whose keys hash lowest with the seed.

    ``key`` is unique. About `MARGIN` times the wanted rows are ranked, whatever the group's size.
    """
    place = F.pmod(F.xxhash64(F.lit(seed), F.lit(name), F.col(key)), F.lit(2**31))
    sizes = frame.groupBy(*by).agg(F.count("*").alias("group_size"))
    likely = F.col("place") * F.col("group_size") <= F.lit(float(2**31 * MARGIN * most))
    candidates = (
        frame.withColumn("place", place).join(F.broadcast(sizes), on=list(by)).where(likely)
    )
    ranked = candidates.withColumn(
        "ranked", F.row_number().over(Window.partitionBy(*by).orderBy("place", key))
    )
    return ranked.where(F.col("ranked") <= most).drop("place", "group_size", "ranked")


def with_both_sides(samples: DataFrame) -> DataFrame:
    """The samples that have an English and a target text."""
    return samples.where((F.length("en_text") > 0) & (F.length("target_text") > 0))


def compare_sides(samples: DataFrame, choice: EncoderChoice) -> DataFrame:
    """`SIMILARITY` of samples with both texts, a row for each; null where a text has no vector."""

    def run(batches: Batches) -> Batches:
        from pyspark import TaskContext

        for batch in rebatch(batches, ROWS_AT_ONCE):
            rows = batch.to_pylist()
            cosines = side_cosines(
                task_encoder(choice, TaskContext.get()),
                [row["en_text"] for row in rows],
                [row["target_text"] for row in rows],
                [row["target_lang"] for row in rows],
                choice.rule,
            )
            named = zip(rows, cosines, strict=True)
            yield from to_batches(({**row, "cosine": one} for row, one in named), SIMILARITY)

    columns = ("sample_id", "arrangement", "target_lang", "en_text", "target_text")
    spread_out = samples.select(*columns).repartition(SIMILARITY_TASKS, "sample_id")
    return spread_out.mapInArrow(run, SIMILARITY)
