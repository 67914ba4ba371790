"""Two texts on one subject to samples: joined, cut to a token budget and arranged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.arrangements import Recipe
from crossic_etl.kernels.samples import PairTexts, sample_rows
from crossic_etl.kernels.tokenizers import load_tokenizer
from crossic_etl.schemas import LONG, SAMPLES, STAGED_SAMPLES, STRING
from crossic_etl.transforms.arrow import Batches, to_batches
from crossic_etl.transforms.sides import DROPPED, TEXT, join_text

OUTCOMES = ("sample", *DROPPED, "text")

# Documents tokenized together: enough for a batch's speed, few enough for its memory.
DOCUMENTS_AT_ONCE = 64


@dataclass(frozen=True)
class SampleSettings:
    """What decides how samples are cut; plain values, so that it travels to the workers."""

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
        T.StructField("arrangements", T.ArrayType(STRING)),
        *[
            T.StructField(f"{side}_{name}", LONG if name == "revision_id" else STRING)
            for side in ("en", "target")
            for name in TEXT
            if name != "n_chars"
        ],
    ]
)


def make_samples(
    sides: DataFrame, english: DataFrame, target: DataFrame, settings: SampleSettings
) -> DataFrame:
    """Staged samples of the sides without a reason against it, whose texts are all there.

    ``n`` counts each of them once for each of its arrangements, and so do the rows of the others.
    """
    columns = [name for name in TEXT if name != "n_chars"]
    fitting = sides.where(F.col("reason").isNull())
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
    dropped = sides.where(F.col("reason").isNotNull()).select(
        F.col("reason").alias("outcome"),
        "target_lang",
        "pair_id",
        F.array_size("arrangements").cast("long").alias("n"),
    )
    return made.unionByName(dropped, allowMissingColumns=True)


def select_samples(staged: DataFrame) -> DataFrame:
    """``samples``: the staged rows that are some."""
    return staged.where(F.col("outcome") == "sample").select(SAMPLES.columns)
