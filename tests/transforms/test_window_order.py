"""The texts of windows, decoded: documents in order; translations and languages apart."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from crossic_etl.kernels.samples.arrangements import Recipe
from crossic_etl.kernels.samples.names import DOCUMENTS, POLICIES, SHUFFLED
from crossic_etl.kernels.samples.rows import PairTexts, sample_rows
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.transforms.mixture import MIXTURE, choose_pairs, mix_samples
from crossic_etl.transforms.windows import Streams, make_windows, mark_threads
from tests.support.rows import row_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row, SparkSession

LENGTH, MAX_TOKENS, SEPARATOR = 128, 48, "\n\n"
LANGUAGES = ("ar", "ja", "th")
ARRANGEMENTS = ["en-first", "target-first", "mix", "target-only"]
SENTENCES = {
    "en": "Harbour {0} keeps the light of row {1}. ",
    "ar": "الميناء {0} فيه ضوء الصف {1}. ",
    "ja": "港{0}は列{1}の灯を守る。",
    "th": "ท่าเรือ {0} มีไฟของแถว {1} ",
}
N_PAIRS = 40


def text_of(lang: str, pair: int) -> str:
    """A text of one to ten sentences, no two of them equal."""
    n = 1 + pair * 7 % 10
    return "".join(SENTENCES[lang].format(pair, i) for i in range(n)).strip()


def pair_of(pair: int) -> PairTexts:
    lang = LANGUAGES[pair % 3]
    sides = {"en": text_of("en", pair), "target": text_of(lang, pair)}
    texts: dict[str, Any] = {}
    for side, text in sides.items():
        texts |= {f"{side}_source_id": f"{side}:{pair}", f"{side}_text": text}
        texts |= {f"{side}_{name}": None for name in ("title", "url", "revision_id")}
        texts[f"{side}_licence"] = "CC0-1.0"
    split = "validation" if pair % 8 == 0 else "train"
    return PairTexts(f"p{pair}", lang, split, "wikipedia", pair, ARRANGEMENTS, **texts)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    pairs = [pair_of(i) for i in range(N_PAIRS)]
    recipe = Recipe(load_tokenizer(), MAX_TOKENS, SEPARATOR)
    return [row | {"input_ids": row["input_ids"].tolist()} for row in sample_rows(pairs, recipe)]


@pytest.fixture(scope="module")
def samples(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    made = [row_of(SAMPLES, **row) for row in rows]
    return spark.createDataFrame(made, SAMPLES.schema)


def make(samples: DataFrame, streams: Streams, policy: str = "sliding") -> list[Row]:
    """The windows, by arrangement, split, shard and position; each key once."""
    found = make_windows(mark_threads(samples), LENGTH, policy, streams).collect()
    keys = Counter(tuple(row[name] for name in WINDOWS.key) for row in found)
    assert set(keys.values()) == {1}
    return sorted(found, key=lambda row: (*stream_of(row), row.position))


def stream_of(row: Row) -> tuple[str, str, int]:
    return (row.arrangement, row.split, row.shard)


def whole_texts(row: Row) -> list[str]:
    """The texts of a window's whole samples, decoded from its ids, without the split token."""
    tokenizer = load_tokenizer()
    ends = [*row.sample_starts[1:], len(row.input_ids)]
    parts = zip(row.sample_starts[: row.n_whole], ends, strict=False)
    texts = [tokenizer.decode(row.input_ids[start:end]) for start, end in parts]
    assert all(text.endswith("<|quad_end|>") for text in texts)
    return [text.removesuffix("<|quad_end|>") for text in texts]


def runs(windows: list[Row], rows: list[dict[str, Any]]) -> list[tuple[str, list[str], list[str]]]:
    """For each run of samples of one pair in a stream: arrangement, sample ids, decoded texts."""
    pairs = {row["sample_id"]: row["pair_id"] for row in rows}
    found = []
    for (arrangement, _, _), of_stream in groupby(windows, key=stream_of):
        read = [
            pair
            for row in of_stream
            for pair in zip(row.sample_ids[: row.n_whole], whole_texts(row), strict=True)
        ]
        for _, run in groupby(read, key=lambda pair: pairs[pair[0]]):
            names, texts = zip(*run, strict=True)
            found.append((arrangement, list(names), list(texts)))
    return found


def documents(rows: list[dict[str, Any]]) -> list[tuple[str, list[str], list[str]]]:
    """What the runs have to be: samples of one text pair, or of one text in ``mix``."""

    def key(row: dict[str, Any]) -> tuple[str, str, bool]:
        return (row["arrangement"], row["pair_id"], row.get("en_source_id") is None)

    found = []
    for (arrangement, _, _), group in groupby(sorted(rows, key=key), key=key):
        ordered = sorted(group, key=lambda row: row["segment"])
        texts = []
        for row in ordered:
            sides = [row["en_text"], row["target_text"]]
            turned = sides[::-1] if arrangement == "target-first" else sides
            texts.append(SEPARATOR.join(side for side in turned if side))
        found.append((arrangement, [row["sample_id"] for row in ordered], texts))
    return sorted(found)


@pytest.mark.parametrize("policy", ["sliding", "padded"])
def test_windows_hold_documents_whole_and_in_order(
    samples: DataFrame, rows: list[dict[str, Any]], policy: str
) -> None:
    expected = documents(rows)
    assert sum(len(names) > 2 for _, names, _ in expected) > N_PAIRS
    assert sorted(runs(make(samples, Streams(2, 0), policy), rows)) == expected


def test_documents_are_scattered_where_they_are_shuffled(
    samples: DataFrame, rows: list[dict[str, Any]]
) -> None:
    assert sorted(runs(make(samples, Streams(2, 0, SHUFFLED)), rows)) != documents(rows)


def test_pairs_are_in_no_order_of_theirs(samples: DataFrame, rows: list[dict[str, Any]]) -> None:
    numbers = {row["sample_id"]: int(row["pair_id"][1:]) for row in rows}
    orders = []
    for seed in (0, 1):
        windows = make(samples.where("arrangement = 'en-first'"), Streams(1, seed))
        orders.append([numbers[names[0]] for _, names, _ in runs(windows, rows)])
        assert sorted(orders[-1]) == list(range(N_PAIRS)) != orders[-1]
    assert orders[0] != orders[1]


def test_all_arrangements_have_the_same_documents_in_the_same_order(
    samples: DataFrame, rows: list[dict[str, Any]]
) -> None:
    pairs = {row["sample_id"]: row["pair_id"] for row in rows}
    orders: dict[str, list[str]] = {}
    for arrangement, names, _ in runs(make(samples, Streams(2, 0)), rows):
        orders.setdefault(arrangement, []).append(pairs[names[0]])
    assert orders["en-first"] == orders["target-first"] == orders["target-only"]


@pytest.mark.parametrize("n_shards", [1, 2, 5])
@pytest.mark.parametrize("languages", [(), LANGUAGES])
def test_no_window_of_mix_holds_a_text_and_its_translation(
    samples: DataFrame, rows: list[dict[str, Any]], n_shards: int, languages: tuple[str, ...]
) -> None:
    held = {row["sample_id"]: (row["pair_id"], bool(row["en_text"])) for row in rows}
    windows = make(samples.where("arrangement = 'mix'"), Streams(n_shards, 0, DOCUMENTS, languages))
    for row in windows:
        sides = {held[name] for name in row.sample_ids}
        assert not {(pair, not is_english) for pair, is_english in sides} & sides
    # Streams mix English and target texts all the same, and all of them are there.
    both = {(row.shard, held[name][1]) for row in windows for name in row.sample_ids}
    assert n_shards == 1 or len({shard for shard, _ in both}) < len(both)
    whole = [name for row in windows for name in row.sample_ids[: row.n_whole]]
    assert Counter(whole) == Counter(r["sample_id"] for r in rows if r["arrangement"] == "mix")


def many_texts(spark: SparkSession, arrangement: Column, source: Column) -> DataFrame:
    """Samples of one token of 2,000 pairs: ``{pair}{source}``, or ``{pair}th`` without one."""
    pairs = spark.range(2_000).select(F.concat(F.lit("p"), "id").alias("pair_id"))
    texts = pairs.select("*", arrangement.alias("arrangement")).select(
        "*", source.alias("en_source_id")
    )
    columns = {field.name: F.lit("") for field in SAMPLES.schema if field.name not in texts.columns}
    columns |= {"segment": F.lit(0), "input_ids": F.array(F.lit(1))}
    columns["sample_id"] = F.concat("pair_id", F.coalesce("en_source_id", F.lit("th")))
    return texts.withColumns(columns)


@pytest.mark.parametrize("n_shards", [1, 2, 3, 16])
def test_translations_are_spread_over_the_other_shards(spark: SparkSession, n_shards: int) -> None:
    texts = many_texts(spark, F.lit("mix"), F.explode(F.array(F.lit("en:1"), F.lit(None))))
    windows = make(texts, Streams(n_shards, 0))
    shards = {name: row.shard for row in windows for name in row.sample_ids[: row.n_whole]}
    pairs = Counter((shards[f"p{i}en:1"], shards[f"p{i}th"]) for i in range(2_000))
    assert all(english != target for english, target in pairs)
    n_both = max(n_shards, 2)
    assert len(pairs) == (1 if n_shards == 1 else n_both * (n_both - 1))
    assert max(pairs.values()) < 3 * 2_000 / len(pairs)


@pytest.mark.parametrize("order", [DOCUMENTS, SHUFFLED])
def test_separate_windows_hold_one_language_each(samples: DataFrame, order: str) -> None:
    windows = make(samples, Streams(2, 0, order, LANGUAGES))
    assert {len(set(row.sample_langs)) for row in windows} == {1}
    langs: dict[int, set[str]] = {}
    for row in windows:
        langs.setdefault(row.shard, set()).update(row.sample_langs)
    assert langs == {2 * n + shard: {lang} for n, lang in enumerate(LANGUAGES) for shard in (0, 1)}
    mixed = make(samples, Streams(2, 0, order))
    assert max(len(set(row.sample_langs)) for row in mixed) > 1


def test_separate_windows_are_those_of_the_language_alone(samples: DataFrame) -> None:
    together = make(samples, Streams(2, 0, DOCUMENTS, LANGUAGES))
    for lang in LANGUAGES:
        alone = make(samples.where(F.col("target_lang") == lang), Streams(2, 0))
        own = [row.input_ids for row in together if row.sample_langs[0] == lang]
        assert own == [row.input_ids for row in alone]


def test_a_sample_of_a_language_without_a_stream_is_an_error(samples: DataFrame) -> None:
    with pytest.raises(PySparkException, match="no stream for language th"):
        make(samples, Streams(2, 0, DOCUMENTS, ("ar", "ja")))


def test_an_unknown_order_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"window\.order: 'best' is none; expected documents"):
        Streams(1, 0, "best")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("languages", [(), LANGUAGES])
def test_partitions_change_nothing(
    samples: DataFrame, policy: str, languages: tuple[str, ...]
) -> None:
    streams = Streams(2, 7, DOCUMENTS, languages)
    windows = make(samples.repartition(1, "segment"), streams, policy)
    spread = samples.orderBy(F.desc("sample_id")).repartition(7, "sample_id")
    assert make(spread, streams, policy) == windows


def test_best_fit_keeps_documents_together_and_in_order(
    samples: DataFrame, rows: list[dict[str, Any]]
) -> None:
    segments = {row["sample_id"]: (row["pair_id"], row["segment"]) for row in rows}
    together = {}
    for order in (DOCUMENTS, SHUFFLED):
        windows = make(samples.where("arrangement = 'en-first'"), Streams(1, 0, order), "best-fit")
        held = [[segments[name] for name in row.sample_ids] for row in windows]
        pairs = (pair for window in held for pair in pairwise(window))
        together[order] = sum(a[0] == b[0] and a[1] + 1 == b[1] for a, b in pairs)
        if order == DOCUMENTS:
            assert all(a[1] < b[1] for w in held for a, b in pairwise(w) if a[0] == b[0])
    n_later = sum(segment > 0 for name, (_, segment) in segments.items() if name in first_ids(rows))
    assert together[DOCUMENTS] > n_later / 2 > 4 * together[SHUFFLED]


def first_ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["sample_id"] for row in rows if row["arrangement"] == "en-first"}


def test_a_mixture_keeps_the_documents_of_its_arrangements_together(
    samples: DataFrame, rows: list[dict[str, Any]]
) -> None:
    chosen = choose_pairs(samples, {"en-first": 1.0, "target-first": 1.0}, 0)
    mixed = mix_samples(mark_threads(samples, in_mixture=True), chosen)
    windows = make_windows(mixed, LENGTH, "padded", Streams(1, 0)).collect()
    assert {row.arrangement for row in windows} == {MIXTURE}
    windows.sort(key=lambda row: (*stream_of(row), row.position))
    known = {row["sample_id"]: (row["arrangement"], row["pair_id"]) for row in rows}
    order = [known[name] for row in windows for name in row.sample_ids]
    held = [key for key, _ in groupby(order)]
    assert len(held) == len(set(held)) == 2 * N_PAIRS


def test_a_mixture_seldom_has_two_arrangements_of_a_pair_side_by_side(spark: SparkSession) -> None:
    both = F.explode(F.array(F.lit("en-first"), F.lit("target-first")))
    texts = mark_threads(many_texts(spark, both, F.col("arrangement")), in_mixture=True)
    mixed = texts.withColumn("arrangement", F.lit(MIXTURE))
    windows = make_windows(mixed, LENGTH, "padded", Streams(1, 0)).orderBy("position").collect()
    order = [name.partition("e")[0].partition("t")[0] for row in windows for name in row.sample_ids]
    assert len(order) == 4_000
    assert sum(a == b for a, b in pairwise(order)) < 2_000 / 20
