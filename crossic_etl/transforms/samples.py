"""Pairs to samples: texts joined, cut to a token budget and arranged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.arrangements import Recipe
from crossic_etl.kernels.samples import PairTexts, sample_rows
from crossic_etl.kernels.tokenizers import load_tokenizer
from crossic_etl.schemas import LONG, SAMPLES, STAGED_SAMPLES, STRING
from crossic_etl.transforms.arrow import Batches, to_batches

OUTCOMES = ("sample", "too_short", "text")

# Documents tokenized together: enough for a batch's speed, few enough for its memory.
DOCUMENTS_AT_ONCE = 64


@dataclass(frozen=True)
class SampleSettings:
    """What decides how samples are cut; plain values, so that it travels to the workers."""

    tokenizer: str
    split_token: str
    max_tokens: int
    separator: str
    min_chars: int
    validation_share: float
    seed: int

    def recipe(self) -> Recipe:
        """The recipe with its tokenizer, which is loaded once for each process."""
        tokenizer = load_tokenizer(self.tokenizer, self.split_token)
        return Recipe(tokenizer, self.max_tokens, self.separator)


PAIR_TEXTS = T.StructType(
    [
        *[T.StructField(name, STRING) for name in ("pair_id", "target_lang", "split")],
        T.StructField("arrangements", T.ArrayType(STRING)),
        *[
            T.StructField(f"{side}_{name}", kind)
            for side in ("en", "target")
            for name, kind in (
                *(("page_id", LONG), ("title", STRING), ("url", STRING), ("revision_id", LONG)),
                *(("licence", STRING), ("text", STRING)),
            )
        ],
    ]
)


def choose_sides(
    pairs: DataFrame, pages: DataFrame, arrangements: Sequence[str], settings: SampleSettings
) -> DataFrame:
    """Which two pages make which arrangements, and whether their texts are long enough.

    A pair with a text shorter than ``min_chars`` doesn't fit any arrangement, so that all hold the
    same documents. ``random`` gives each pair the English page of the next pair of its language and
    split, in an order set by a hash with the seed: a permutation without a fixed point, unless they
    have a single pair.
    """
    sizes = pages.select("lang", "page_id", "n_chars")
    sized = _join_side(_join_side(pairs, sizes, "en"), sizes, "target")
    least = F.least(F.coalesce("en_n_chars", F.lit(0)), F.coalesce("target_n_chars", F.lit(0)))
    sides = sized.select(
        "pair_id", "target_lang", "en_page_id", "target_page_id",
        split_of(F.concat(F.lit("en:"), F.col("en_page_id")), settings).alias("split"),
        (least >= settings.min_chars).alias("fits"),
    )  # fmt: skip
    aligned = [name for name in arrangements if name != "random"]
    chosen = sides.withColumn("arrangements", _names(aligned))
    if "random" not in arrangements:
        return chosen
    order = [F.xxhash64(F.lit(settings.seed), F.lit("random"), F.col("pair_id")), F.col("pair_id")]
    following = Window.partitionBy("target_lang", "split", "fits").orderBy(order)
    around = following.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    permuted = sides.withColumn(
        "en_page_id",
        F.coalesce(F.lead("en_page_id").over(following), F.first("en_page_id").over(around)),
    ).withColumn("arrangements", _names(["random"]))
    return chosen.unionByName(permuted) if aligned else permuted


def split_of(source_id: Column, settings: SampleSettings) -> Column:
    """``validation`` for the share of the source ids that the settings say, else ``train``."""
    hashed = F.xxhash64(F.lit(settings.seed), F.lit("validation"), source_id)
    is_taken = F.pmod(hashed, F.lit(2**31)) < F.lit(round(2**31 * settings.validation_share))
    return F.when(is_taken, "validation").otherwise("train")


def _names(names: Sequence[str]) -> Column:
    return F.array([F.lit(name) for name in names])


def _join_side(frame: DataFrame, pages: DataFrame, side: str) -> DataFrame:
    """Adds a page's columns, prefixed by its side; ``pages`` has unique ``lang, page_id``."""
    lang = F.lit("en") if side == "en" else F.col("pair.target_lang")
    renamed = pages.select(
        F.col("lang").alias("side_lang"),
        *[F.col(c).alias(f"{side}_{c}") for c in pages.columns[1:]],
    )
    on = (F.col(f"pair.{side}_page_id") == F.col(f"side.{side}_page_id")) & (
        F.col("side.side_lang") == lang
    )
    joined = frame.alias("pair").join(renamed.alias("side"), on=on, how="left")
    return joined.drop("side_lang").select(
        "pair.*", *[f"side.{side}_{c}" for c in pages.columns[2:]]
    )


def make_samples(sides: DataFrame, pages: DataFrame, settings: SampleSettings) -> DataFrame:
    """Staged samples of the chosen sides; ``n`` counts each (pair, arrangement) once."""
    columns = ["lang", "page_id", "title", "url", "revision_id", "licence", "text"]
    texts = pages.select(columns)
    fitting = sides.where("fits").drop("fits")
    joined = _join_side(_join_side(fitting, texts, "en"), texts, "target").select(
        PAIR_TEXTS.fieldNames()
    )

    def run(batches: Batches) -> Batches:
        recipe = settings.recipe()

        def rows() -> Iterator[dict[str, object]]:
            for batch in batches:
                for start in range(0, batch.num_rows, DOCUMENTS_AT_ONCE):
                    part = batch.slice(start, DOCUMENTS_AT_ONCE).to_pylist()
                    yield from sample_rows([PairTexts(**row) for row in part], recipe)

        yield from to_batches(rows(), STAGED_SAMPLES)

    made = joined.mapInArrow(run, STAGED_SAMPLES)
    short = sides.where(~F.col("fits")).select(
        F.lit("too_short").alias("outcome"),
        "target_lang",
        "pair_id",
        F.array_size("arrangements").cast("long").alias("n"),
    )
    return made.unionByName(short, allowMissingColumns=True)


def select_samples(staged: DataFrame) -> DataFrame:
    """``samples``: the staged rows that are some."""
    return staged.where(F.col("outcome") == "sample").select(SAMPLES.columns)
