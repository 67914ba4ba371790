"""Two texts on one subject to samples: joined, cut to a token budget and arranged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.samples.arrangements import Recipe
from crossic_etl.kernels.samples.rows import PairTexts, sample_rows
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.schemas import LONG, SAMPLES, STAGED_SAMPLES, STRING
from crossic_etl.transforms.arrow import Batches, to_batches
from crossic_etl.transforms.text_pairs import TEXT, join_text

KEPT = "kept"
# The key of a group of samples: of one text pair in one arrangement. A group is held whole or not
# at all.
GROUP = ("pair_id", "arrangement", "made_of")
# Columns of texts that no task needs to make samples.
_NOT_SENT = ("n_chars", "fingerprint")

# Documents tokenized together: enough for a batch's speed, few enough for its memory.
DOCUMENTS_AT_ONCE = 64


@dataclass(frozen=True)
class SampleSettings:
    """The settings that decide how texts are cut: plain values, since they go to the workers."""

    tokenizer: str
    split_token: str
    max_tokens: int
    separator: str

    def recipe(self) -> Recipe:
        """The recipe with its tokenizer, which is loaded once for each process."""
        tokenizer = load_tokenizer(self.tokenizer, self.split_token)
        return Recipe(tokenizer, self.max_tokens, self.separator)


PAIR_TEXTS = T.StructType(
    [
        *[T.StructField(c, STRING) for c in ("pair_id", "target_lang", "split", "origin")],
        T.StructField("made_of", LONG),
        T.StructField("arrangements", T.ArrayType(STRING)),
        *[
            T.StructField(f"{side}_{name}", LONG if name == "revision_id" else STRING)
            for side in ("en", "target")
            for name in TEXT
            if name not in _NOT_SENT
        ],
    ]
)


def make_samples(
    text_pairs: DataFrame,
    english: DataFrame,
    target: DataFrame,
    settings: SampleSettings,
    held: DataFrame | None = None,
) -> DataFrame:
    """Staged samples of the text pairs without a reason, and staged rows of the other pairs.

    The texts of a pair without a reason must be in ``english`` and ``target``. ``n`` sums to the
    number of arrangements of each text pair, whatever its outcome. ``held`` are the columns `GROUP`
    of samples that ``samples`` has. A group that is among these is not made again: it gives a row
    with the outcome ``kept``.
    """
    columns = [name for name in TEXT if name not in _NOT_SENT]
    wanted = _add_input_fingerprint(
        text_pairs.where(F.col("reason").isNull()), english, target, settings
    )
    fitting, kept = (wanted, None) if held is None else _leave_out(wanted, held)
    joined = join_text(fitting, english.select(columns), "en")
    joined = join_text(joined, target.select(columns), "target").select(PAIR_TEXTS.fieldNames())

    def run(batches: Batches) -> Batches:
        recipe = settings.recipe()

        def rows() -> Iterator[dict[str, object]]:
            for batch in batches:
                for start in range(0, batch.num_rows, DOCUMENTS_AT_ONCE):
                    part = batch.slice(start, DOCUMENTS_AT_ONCE).to_pylist()
                    yield from sample_rows([PairTexts(**row) for row in part], recipe)

        yield from to_batches(rows(), STAGED_SAMPLES)

    made = joined.mapInArrow(run, STAGED_SAMPLES)
    dropped = text_pairs.where(F.col("reason").isNotNull()).select(
        F.col("reason").alias("outcome"),
        "target_lang",
        "pair_id",
        F.array_size("arrangements").cast("long").alias("n"),
    )
    others = dropped if kept is None else dropped.unionByName(kept, allowMissingColumns=True)
    return made.unionByName(others, allowMissingColumns=True)


def _add_input_fingerprint(
    text_pairs: DataFrame, english: DataFrame, target: DataFrame, settings: SampleSettings
) -> DataFrame:
    known = ("source_id", "fingerprint")
    described = join_text(text_pairs, english.select(*known), "en")
    described = join_text(described, target.select(*known), "target")
    of_pair = ("origin", "split", "en_source_id", "target_source_id")
    made_of = F.xxhash64(
        F.lit(version("crossic-etl")),
        F.lit(repr(settings)),
        *map(F.col, of_pair),
        "en_fingerprint",
        "target_fingerprint",
    )
    return described.select(*text_pairs.columns, made_of.alias("made_of"))


def _leave_out(wanted: DataFrame, held: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Text pairs with the arrangements that aren't held, and a staged row for each that is held."""
    groups = held.groupBy("pair_id", "made_of").agg(F.collect_set("arrangement").alias("held"))
    joined = wanted.join(groups, on=["pair_id", "made_of"], how="left")
    of_held = F.coalesce("held", F.array().cast("array<string>"))
    to_make = F.array_except("arrangements", of_held)
    missing = joined.withColumn("arrangements", to_make).where(F.size("arrangements") > 0)
    kept = joined.select(
        F.lit(KEPT).alias("outcome"),
        "target_lang",
        "pair_id",
        "made_of",
        F.explode(F.array_intersect("arrangements", of_held)).alias("arrangement"),
        F.lit(1).cast("long").alias("n"),
    )
    return missing.drop("held"), kept


def select_gone_samples(held: DataFrame, staged: DataFrame) -> DataFrame:
    """``sample_id`` of the held samples that are neither kept nor made again."""
    kept = staged.where(F.col("outcome") == KEPT).select(*GROUP)
    made = staged.where(F.col("outcome") == "sample").select("sample_id")
    left = held.select("sample_id", *GROUP).join(kept, on=list(GROUP), how="left_anti")
    return left.join(made, on="sample_id", how="left_anti").select("sample_id")


def select_samples(staged: DataFrame) -> DataFrame:
    """``samples``: the staged rows with the outcome ``sample``."""
    return staged.where(F.col("outcome") == "sample").select(SAMPLES.columns)
