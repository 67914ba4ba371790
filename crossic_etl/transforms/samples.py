"""Makes samples from text pairs: joins the texts, cuts them to a token budget, arranges them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.encoding.encoders import known_languages
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.samples.aligner import CUT_RULE, Aligner
from crossic_etl.kernels.samples.arrangements import Recipe
from crossic_etl.kernels.samples.names import BY_POSITION, RANDOM
from crossic_etl.kernels.samples.rows import PairTexts, sample_rows
from crossic_etl.kernels.samples.shares import TWO_SIDED
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.schemas import LONG, SAMPLES, STAGED_SAMPLES, STRING
from crossic_etl.transforms.arrow import Batches, to_batches
from crossic_etl.transforms.encoding import task_encoder
from crossic_etl.transforms.text_pairs import TEXT, join_text

if TYPE_CHECKING:
    from pyspark import TaskContext

KEPT = "kept"
# The key of a group of samples: those of one text pair in one arrangement. A group is stored whole
# or not at all.
GROUP = ("pair_id", "arrangement", "made_of")
# Columns of texts that aren't needed to make samples, so they aren't sent to tasks.
_NOT_SENT = ("n_chars", "fingerprint")

# Documents tokenized together: enough for a batch's speed, few enough for its memory.
DOCUMENTS_AT_ONCE = 64
# Ours: a task that embeds takes about a second for a long article, and a lost one repeats an hour.
FEWEST_IN_A_TASK, MOST_IN_A_TASK, MANY_TASKS = 16, 2_000, 1_000


@dataclass(frozen=True)
class SampleSettings:
    """The settings for cutting texts; plain values, since they are sent to the workers.

    ``align``, ``similarity`` and ``unmatched`` are those of `config.etl.Segment`; ``encoder`` is
    what they need, None where nothing is embedded.
    """

    tokenizer: str
    split_token: str
    max_tokens: int
    separator: str
    align: str = BY_POSITION
    similarity: str = "cut"
    unmatched: str = "keep"
    encoder: EncoderChoice | None = None

    def recipe(self, task: TaskContext | None = None) -> Recipe:
        """The recipe with its tokenizer and encoder, which each process loads once.

        Raises:
            RuntimeError: the worker has another encoder than the driver.
        """
        tokenizer = load_tokenizer(self.tokenizer, self.split_token)
        aligner = Aligner(self.align)
        if self.encoder is not None:
            aligner.encoder = task_encoder(self.encoder, task)
            aligner.languages = known_languages(self.encoder.spec)
            aligner.all_similarities = self.similarity == "all"
        return Recipe(tokenizer, self.max_tokens, self.separator, aligner, self.unmatched == "drop")

    def identity(self) -> str:
        """All that determines the samples of two texts, whatever machine makes them."""
        encoder = self.encoder and (self.encoder.model, self.encoder.revision)
        values = [getattr(self, one.name) for one in fields(self) if one.name != "encoder"]
        return repr((*values, encoder, CUT_RULE))


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
    n_text_pairs: int = 0,
) -> DataFrame:
    """Staged samples of the text pairs without a reason, and a staged row of each other pair.

    ``text_pairs`` have the columns of `describe_text_pairs`. The texts of a pair without a reason
    must be in ``english`` and ``target``. The sum of ``n`` is the number of arrangements of all
    text pairs. ``held`` has the columns `GROUP` of the stored samples. A group in ``held`` is not
    made again; it gives a row with the outcome ``kept``. ``n_text_pairs``, about, says how many
    tasks embed.
    """
    fitting, kept = choose_fitting(text_pairs, held)
    columns = [name for name in TEXT if name not in _NOT_SENT]
    joined = join_text(fitting, target.select(columns), "target")
    joined = join_text(joined, english.select(columns), "en").select(PAIR_TEXTS.fieldNames())
    if settings.encoder is not None:  # once for all pairs of an English text
        spread = joined.repartition(task_number(n_text_pairs), "en_source_id")
        joined = spread.sortWithinPartitions("en_source_id", "pair_id", "origin")

    def run(batches: Batches) -> Batches:
        from pyspark import TaskContext

        def rows() -> Iterator[dict[str, object]]:
            recipe = None  # a task without texts loads no encoder
            for batch in batches:
                recipe = recipe or settings.recipe(TaskContext.get())
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


def choose_fitting(
    text_pairs: DataFrame, held: DataFrame | None
) -> tuple[DataFrame, DataFrame | None]:
    """The text pairs without a reason that aren't ``held``, and a staged row for each held one."""
    wanted = text_pairs.where(F.col("reason").isNull())
    return (wanted, None) if held is None else _leave_out(wanted, held)


def count_to_embed(fitting: DataFrame, least_chars: int, with_random: bool = False) -> DataFrame:
    """One row: ``pairs, texts, characters`` of the text pairs that an encoder may have to see.

    They have both sides, which may match or are ``with_random``, and together ``least_chars``
    characters. An English text is counted once for all languages. ``fitting`` has the columns of
    `describe_text_pairs`.
    """
    names = [name for name in TWO_SIDED if name != RANDOM or with_random]
    is_seen = F.arrays_overlap("arrangements", F.array([F.lit(name) for name in names]))
    of_english = (
        fitting.where(is_seen & (F.col("en_n_chars") + F.col("target_n_chars") >= least_chars))
        .groupBy("en_source_id")
        .agg(
            F.count("*").alias("pairs"),
            F.first("en_n_chars").alias("en"),
            F.sum("target_n_chars").alias("target"),
        )
    )
    return of_english.agg(
        F.coalesce(F.sum("pairs"), F.lit(0)).alias("pairs"),
        (F.coalesce(F.sum("pairs"), F.lit(0)) + F.count("*")).alias("texts"),
        F.coalesce(F.sum(F.col("en") + F.col("target")), F.lit(0)).alias("characters"),
    )


def count_sample_outcomes(staged: DataFrame) -> DataFrame:
    """``outcome, rows, embedded, unmatched``: see `count_outcomes`; the characters that were
    embedded, and the segments that were dropped.
    """
    return staged.groupBy("outcome").agg(
        F.sum("n").cast("long").alias("rows"),
        F.coalesce(F.sum("embedded"), F.lit(0)).cast("long").alias("embedded"),
        F.coalesce(F.sum(F.when(F.col("n") > 0, F.col("n_unmatched"))), F.lit(0))
        .cast("long")
        .alias("unmatched"),
    )


def task_number(n_text_pairs: int) -> int:
    """The number of tasks that embed so many pairs: all cores work, and a lost one costs little."""
    shares = -(-n_text_pairs // FEWEST_IN_A_TASK)
    return max(1, min(shares, max(MANY_TASKS, -(-n_text_pairs // MOST_IN_A_TASK))))


def describe_text_pairs(
    text_pairs: DataFrame, english: DataFrame, target: DataFrame, settings: SampleSettings
) -> DataFrame:
    """Text pairs with ``made_of``, the fingerprint of all that determines their samples.

    ``en_n_chars`` and ``target_n_chars`` are added too; a text that is missing has null.
    """
    known = ("source_id", "fingerprint", "n_chars")
    described = join_text(text_pairs, english.select(*known), "en")
    described = join_text(described, target.select(*known), "target")
    of_pair = ("origin", "split", "en_source_id", "target_source_id")
    made_of = F.xxhash64(
        F.lit(version("crossic-etl")),
        F.lit(settings.identity()),
        *map(F.col, of_pair),
        "en_fingerprint",
        "target_fingerprint",
    )
    sizes = ("en_n_chars", "target_n_chars")
    return described.select(*text_pairs.columns, made_of.alias("made_of"), *sizes)


def _leave_out(wanted: DataFrame, held: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Text pairs with the arrangements that aren't held, and a staged row for each held one."""
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
