from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.schemas import PAIRS, REJECTS
from crossic_etl.transforms.outcomes import select_rejects
from crossic_etl.transforms.pairs import (
    BOTH,
    ITEM,
    ONE,
    find_candidates,
    merged_links,
    pair_metrics,
    resolve_candidates,
    select_cycles,
    select_pairs,
)
from crossic_etl.transforms.redirects import resolve_redirects

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
# (English page, target page, evidence): two links in both directions, an item, or one link.
Edge = tuple[int, int, int]

LINKS = "lang string, page_id long, target_lang string, evidence string, target_title string"
PAGES = "lang string, page_id long, title string, qid string, is_disambiguation boolean"
REDIRECTS = "lang string, page_id long, title string, target_title string"
CANDIDATES = (
    "outcome string, target_lang string, en_page_id long, en_title string, target_page_id long, "
    "target_title string, evidence array<string>, items_differ boolean, n_links int"
)
EVIDENCE = {BOTH: ["en->xx", "xx->en"], ITEM: ["en->xx", "qid"], ONE: ["xx->en"]}


# Candidates: one small world of pages, in which each English title says what is wrong with it.

WORLD_PAGES = [
    ("en", 1, "Tea", "Q1", False),
    ("en", 2, "Ice", "Q2", False),
    ("en", 3, "Mercury", "Q3", True),
    ("en", 4, "Moon", None, False),
    ("en", 5, "Rain", "Q5", False),
    ("en", 6, "Cycle", None, False),
    ("th", 11, "น้ำชา", "Q1", False),
    ("th", 12, "น้ำแข็ง", "Q22", False),
    ("th", 13, "ดาวพุธ", None, True),
    ("th", 14, "ดวงจันทร์", None, False),
    ("ja", 21, "茶", "Q1", False),
    ("ar", 31, "مطر", "Q5", False),
]
WORLD_REDIRECTS = [
    ("th", 15, "ชา", "ใบชา"),
    ("th", 16, "ใบชา", "น้ำชา"),
    ("th", 17, "วน", "เวียน"),
    ("th", 18, "เวียน", "วน"),
    ("th", 19, "หาย", "ไม่มี"),
    ("th", 20, "ดวงจันทร์", "น้ำชา"),
    ("en", 7, "Chai", "Tea"),
]
WORLD_LINKS = [
    ("en", 1, "th", "langlink", "ชา"),
    ("en", 1, "th", "qid", "น้ำชา"),
    ("th", 11, "en", "langlink", "Chai"),
    ("en", 1, "ja", "langlink", "茶"),
    ("ar", 31, "en", "langlink", "Rain"),
    ("ar", 31, "en", "qid", "Rain"),
    ("en", 2, "th", "langlink", "น้ำแข็ง"),
    ("en", 4, "th", "langlink", "ดวงจันทร์"),
    ("en", 99, "th", "langlink", "น้ำชา"),
    ("en", 3, "th", "langlink", "น้ำชา"),
    ("en", 5, "th", "langlink", "ไม่มี"),
    ("en", 6, "th", "langlink", "หาย"),
    ("en", 5, "ja", "langlink", "น้ำชา"),
    ("en", 6, "th", "langlink", "ดาวพุธ"),
    ("en", 6, "th", "langlink", "วน"),
    ("th", 98, "en", "langlink", "Tea"),
]


@pytest.fixture(scope="module")
def world(spark: SparkSession) -> list[Row]:
    found = find_candidates(
        spark.createDataFrame(WORLD_LINKS, LINKS),
        spark.createDataFrame(WORLD_PAGES, PAGES),
        resolve_redirects(spark.createDataFrame(WORLD_REDIRECTS, REDIRECTS)),
    )
    return found.collect()


@pytest.fixture(scope="module")
def candidates(world: list[Row]) -> dict[tuple[str, str, str], Row]:
    return {
        (row.target_lang, row.en_title, row.target_title): row
        for row in world
        if row.outcome == "candidate"
    }


def test_candidates_are_the_articles_that_an_edge_names(
    candidates: dict[tuple[str, str, str], Row],
) -> None:
    ids = {names: (row.en_page_id, row.target_page_id) for names, row in candidates.items()}
    assert ids == {
        ("th", "Tea", "น้ำชา"): (1, 11),
        ("ja", "Tea", "茶"): (1, 21),
        ("ar", "Rain", "مطر"): (5, 31),
        ("th", "Ice", "น้ำแข็ง"): (2, 12),
        ("th", "Moon", "ดวงจันทร์"): (4, 14),
    }


def test_edges_of_both_sides_through_redirects_and_items_are_one_candidate(
    candidates: dict[tuple[str, str, str], Row],
) -> None:
    tea = candidates["th", "Tea", "น้ำชา"]
    assert (tea.evidence, tea.n_links, tea.items_differ) == (["en->th", "qid", "th->en"], 3, False)


def test_an_edge_of_the_target_side_alone_says_so(
    candidates: dict[tuple[str, str, str], Row],
) -> None:
    rain = candidates["ar", "Rain", "مطر"]
    assert (rain.evidence, rain.n_links) == (["ar->en", "qid"], 2)


def test_items_that_differ_are_marked(candidates: dict[tuple[str, str, str], Row]) -> None:
    assert candidates["th", "Ice", "น้ำแข็ง"].items_differ is True


def test_pages_without_item_do_not_differ(candidates: dict[tuple[str, str, str], Row]) -> None:
    assert candidates["th", "Moon", "ดวงจันทร์"].items_differ is False


def test_an_article_goes_before_a_redirect_of_its_name(
    candidates: dict[tuple[str, str, str], Row],
) -> None:
    assert ("th", "Moon", "น้ำชา") not in candidates


def test_edges_that_name_no_two_articles_are_counted_by_reason(world: list[Row]) -> None:
    dropped = {
        (row.outcome, row.target_lang): row.n_links for row in world if row.outcome != "candidate"
    }
    assert dropped == {
        ("source_missing", "th"): 2,
        ("source_disambiguation", "th"): 1,
        ("target_missing", "th"): 2,
        ("target_missing", "ja"): 1,
        ("target_disambiguation", "th"): 1,
        ("target_cycle", "th"): 1,
    }


def test_no_edge_is_lost(world: list[Row]) -> None:
    assert sum(row.n_links for row in world) == len(WORLD_LINKS)


def test_without_links_there_are_no_candidates(frame: Frame) -> None:
    found = find_candidates(
        frame(LINKS, []), frame(PAGES, WORLD_PAGES), resolve_redirects(frame(REDIRECTS, []))
    )
    assert found.collect() == []


# Settling: each case is a target language of one frame, so that all of them cost one Spark call.

CASES: dict[str, list[Edge]] = {
    "both-before-item": [(1, 1, ITEM), (2, 1, BOTH)],
    "item-before-one": [(1, 1, ONE), (2, 1, ITEM)],
    "both-before-one": [(1, 1, ONE), (1, 2, BOTH)],
    "lower-english": [(2, 1, ONE), (1, 1, ONE)],
    "lower-target": [(1, 9, ITEM), (1, 3, ITEM)],
    "best-of-both-ends": [(1, 9, ONE), (2, 1, ONE), (2, 9, ONE)],
    "freed-by-a-better": [(1, 1, BOTH), (1, 2, ITEM), (2, 2, ONE)],
    "alone": [(7, 8, ONE)],
    "item-and-both": [(1, 1, BOTH), (1, 2, BOTH)],
}
RESOLVED = {
    "both-before-item": {(2, 1)},
    "item-before-one": {(2, 1)},
    "both-before-one": {(1, 2)},
    "lower-english": {(1, 1)},
    "lower-target": {(1, 3)},
    "best-of-both-ends": {(1, 9), (2, 1)},
    "freed-by-a-better": {(1, 1), (2, 2)},
    "alone": {(7, 8)},
    "item-and-both": {(1, 1)},
}
# Each link of the chain is decided only once the one before it is: far more than there are rounds.
CHAIN = [edge for i in range(1, 41) for edge in ((i, i, ONE), (i + 1, i, ONE))]


def random_edges(seed: int) -> list[Edge]:
    """At most six pages on each side, so six rounds at the most; each pair of pages once."""
    choose = random.Random(seed)
    pages = [(en, target) for en in range(1, 7) for target in range(1, 7)]
    chosen = choose.sample(pages, choose.randint(1, 20))
    return [(en, target, choose.choice((BOTH, ITEM, ONE))) for en, target in chosen]


RANDOM = {f"random-{seed}": random_edges(seed) for seed in range(60)}


def greedy(edges: list[Edge]) -> set[tuple[int, int]]:
    """The oracle: the best edge of all that are left, again and again."""
    taken: set[tuple[int, int]] = set()
    for en, target, _ in sorted(edges, key=lambda edge: (edge[2], edge[0], edge[1])):
        if all(en != other_en and target != other for other_en, other in taken):
            taken.add((en, target))
    return taken


def candidate_rows(case: str, edges: list[Edge]) -> list[tuple[Any, ...]]:
    return [
        ("candidate", case, en, f"E{en}", target, f"T{target}", EVIDENCE[strength], False, 1)
        for en, target, strength in edges
    ]


@pytest.fixture(scope="module")
def resolved(spark: SparkSession) -> list[Row]:
    cases = {**CASES, **RANDOM, "chain": CHAIN}
    rows = [row for case, edges in cases.items() for row in candidate_rows(case, edges)]
    dropped = [("target_missing", "alone", None, None, None, None, ["en->xx"], False, 4)]
    result = resolve_candidates(spark.createDataFrame(rows + dropped, CANDIDATES)).collect()
    assert len(result) == len(rows) + 1
    return result


def outcomes(resolved: list[Row], case: str, outcome: str) -> set[tuple[int, int]]:
    return {
        (row.en_page_id, row.target_page_id)
        for row in resolved
        if row.target_lang == case and row.outcome == outcome
    }


@pytest.mark.parametrize("case", CASES)
def test_the_better_of_two_candidates_is_the_pair(resolved: list[Row], case: str) -> None:
    pages = {(en, target) for en, target, _ in CASES[case]}
    assert outcomes(resolved, case, "pair") == RESOLVED[case]
    assert outcomes(resolved, case, "conflict") == pages - RESOLVED[case]


def test_random_candidates_are_resolved_as_a_greedy_loop_does(resolved: list[Row]) -> None:
    actual = {case: outcomes(resolved, case, "pair") for case in RANDOM}
    assert actual == {case: greedy(edges) for case, edges in RANDOM.items()}


@pytest.mark.parametrize("side", [0, 1], ids=["english", "target"])
def test_each_page_is_in_one_pair_at_most(resolved: list[Row], side: int) -> None:
    for case in RANDOM:
        pages = [pair[side] for pair in outcomes(resolved, case, "pair")]
        assert len(pages) == len(set(pages)), case


def test_a_candidate_is_refused_only_for_a_pair_with_one_of_its_pages(resolved: list[Row]) -> None:
    for case in RANDOM:
        pairs = outcomes(resolved, case, "pair")
        english, target = {en for en, _ in pairs}, {page for _, page in pairs}
        refused = outcomes(resolved, case, "conflict")
        assert [pair for pair in refused if pair[0] not in english and pair[1] not in target] == []


def test_a_chain_longer_than_the_rounds_is_resolved(resolved: list[Row]) -> None:
    assert outcomes(resolved, "chain", "pair") == {(i, i) for i in range(1, 41)}
    assert outcomes(resolved, "chain", "conflict") == {(i + 1, i) for i in range(1, 41)}


def test_edges_that_were_dropped_stay_as_they_are(resolved: list[Row]) -> None:
    (row,) = [row for row in resolved if row.outcome == "target_missing"]
    assert (row.target_lang, row.n_links, row.strength) == ("alone", 4, None)


def test_no_candidates_are_resolved_as_none(frame: Frame) -> None:
    assert resolve_candidates(frame(CANDIDATES, []), rounds=1).collect() == []


# What is made of resolved candidates.

SETTLED_SCHEMA = f"{CANDIDATES}, strength int"
SETTLED_ROWS = [
    ("pair", "th", 1, "Tea", 11, "น้ำชา", ["en->th", "qid", "th->en"], False, 3, BOTH),
    ("pair", "ja", 1, "Tea", 21, "茶", ["en->ja", "qid"], False, 2, ITEM),
    ("pair", "th", 2, "Ice", 12, "น้ำแข็ง", ["th->en"], True, 1, ONE),
    ("conflict", "th", 1, "Tea", 12, "น้ำแข็ง", ["en->th"], True, 1, ONE),
    ("target_missing", "th", None, None, None, None, ["en->th"], False, 7, None),
]


def test_pairs_are_the_candidates_that_won(frame: Frame) -> None:
    pairs = select_pairs(frame(SETTLED_SCHEMA, SETTLED_ROWS))
    assert pairs.columns == PAIRS.columns
    rows = pairs.collect()
    assert {len(row.pair_id) for row in rows} == {32}
    assert len({row.pair_id for row in rows}) == 3
    assert sorted(tuple(row)[1:] for row in rows) == [
        ("ja", 1, "Tea", 21, "茶", ["en->ja", "qid"], False, 2),
        ("th", 1, "Tea", 11, "น้ำชา", ["en->th", "qid", "th->en"], True, 3),
        ("th", 2, "Ice", 12, "น้ำแข็ง", ["th->en"], False, 1),
    ]


def test_a_pair_keeps_its_id_whatever_names_it(frame: Frame) -> None:
    first = ("pair", "th", 1, "Tea", 11, "น้ำชา", ["th->en"], False, 1, ONE)
    second = ("pair", "th", 1, "Chai", 11, "ชา", ["en->th", "th->en"], True, 2, BOTH)
    rows = select_pairs(frame(SETTLED_SCHEMA, [first, second])).collect()
    assert rows[0].pair_id == rows[1].pair_id


def test_agreement_and_conflict_are_counted(frame: Frame) -> None:
    (row,) = pair_metrics(frame(SETTLED_SCHEMA, SETTLED_ROWS)).collect()
    assert row.asDict() == {
        "both_directions": 1,
        "item_first": 1,
        "one_direction": 1,
        "links_and_item_agree": 2,
        "items_differ": 1,
        "candidates_refused": 1,
    }


def test_a_pair_counts_one_of_its_edges_and_merges_the_others(frame: Frame) -> None:
    rows = merged_links(frame(SETTLED_SCHEMA, SETTLED_ROWS)).collect()
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.outcome] = sums.get(row.outcome, 0) + row.n
    assert sums == {"pair": 3, "merged": 3, "conflict": 1, "target_missing": 7}


def test_redirects_in_a_circle_become_rejects(frame: Frame) -> None:
    cycles = select_cycles(resolve_redirects(frame(REDIRECTS, WORLD_REDIRECTS)))
    rejects = select_rejects(cycles, "pairs", ("redirect_cycle",))
    assert rejects.columns == REJECTS.columns
    assert sorted(map(tuple, rejects.collect())) == [
        ("pairs", "th", "วน", "redirect_cycle", "its chain of redirects doesn't end"),
        ("pairs", "th", "เวียน", "redirect_cycle", "its chain of redirects doesn't end"),
    ]
