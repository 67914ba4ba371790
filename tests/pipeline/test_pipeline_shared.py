"""The main job on real dumps, against facts that were worked out without this code."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.pipeline.flow import jobs_of
from crossic_etl.schemas import PAGES, PAIRS, REDIRECTS, RUNS, SAMPLES, WINDOWS
from tests.conftest import LANGUAGES
from tests.support.visible import visible

if TYPE_CHECKING:
    from pyspark.sql import Row

    from crossic_etl.config import Config
    from crossic_etl.tables import Tables

pytestmark = pytest.mark.shared_run("shared_tables")


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((shared_data / "EXPECTED.json").read_text(encoding="utf-8"))
    return facts


@pytest.mark.parametrize("lang", ["en", *LANGUAGES])
def test_articles_and_redirects_of_a_wiki(
    shared_tables: Tables, expected: dict[str, Any], lang: str
) -> None:
    scope, facts = {"lang": [lang]}, expected["wikis"][lang]
    pages = shared_tables.select(PAGES, scope)
    actual = (
        pages.count(),
        sorted(row.page_id for row in pages.where("is_disambiguation").collect()),
        shared_tables.select(REDIRECTS, scope).count(),
    )
    assert actual == (
        facts["articles"],
        sorted(facts["disambiguation_page_ids"]),
        facts["redirects_in_namespace_0"],
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pairs_of_a_language(shared_tables: Tables, expected: dict[str, Any], lang: str) -> None:
    actual = {
        (row.en_page_id, row.target_page_id, tuple(row.evidence), row.both_directions)
        for row in shared_tables.select(PAIRS, {"target_lang": [lang]}).collect()
    }
    assert actual == {
        (
            pair["en_page_id"],
            pair["page_id"],
            tuple(sorted(pair["evidence"])),
            pair["both_directions"],
        )
        for pair in expected["pairs"]["list"][lang]
    }


def test_every_run_balances(shared_tables: Tables, shared_config: Config) -> None:
    rows = shared_tables.read(RUNS).collect()
    assert [row.job for row in rows if row.state != "done"] == []
    assert {row.job for row in rows} == {job.name for job in jobs_of(shared_config)}
    assert all(row.rows_in == row.rows_used + sum(row.dropped.values()) for row in rows)


def test_every_sample_is_whole_in_one_window(shared_tables: Tables) -> None:
    samples = {row.sample_id: row.n_tokens for row in shared_tables.read(SAMPLES).collect()}
    windows = shared_tables.read(WINDOWS).collect()
    whole = [sample for row in windows for sample in row.sample_ids[: row.n_whole]]
    assert sorted(whole) == sorted(samples)
    assert sum(row.n_new for row in windows) == sum(samples.values())


def test_the_segments_of_real_articles_follow_one_another(shared_tables: Tables) -> None:
    samples = {row.sample_id: row for row in shared_tables.read(SAMPLES).collect()}
    order = ("arrangement", "split", "shard", "position")
    of_streams: dict[tuple[str, ...], list[Row]] = {}
    for row in shared_tables.read(WINDOWS).orderBy(*order).collect():
        stream = of_streams.setdefault((row.arrangement, row.split, row.shard), [])
        stream.extend(samples[name] for name in row.sample_ids[: row.n_whole])
    seen: list[tuple[str, str, bool]] = []
    for (arrangement, *_), stream in of_streams.items():
        for text, run in groupby(stream, key=lambda row: (row.pair_id, row.en_source_id is None)):
            rows = list(run)
            assert [row.segment for row in rows] == list(range(rows[0].n_segments))
            seen.append((arrangement, *text))
    assert len(seen) == len(set(seen))


def test_no_window_of_mix_holds_both_texts_of_a_pair(shared_tables: Tables) -> None:
    samples = {row.sample_id: row for row in shared_tables.read(SAMPLES).collect()}
    for window in shared_tables.select(WINDOWS, {"arrangement": ["mix"]}).collect():
        held = [samples[name] for name in window.sample_ids]
        sides = {(row.pair_id, row.en_source_id is None) for row in held}
        assert len(sides) == len({pair for pair, _ in sides})


def test_all_arrangements_hold_the_same_documents(shared_tables: Tables) -> None:
    rows = shared_tables.read(SAMPLES).select("arrangement", "pair_id", "target_source_id")
    targets: dict[str, set[str]] = {}
    for row in rows.collect():
        targets.setdefault(row.arrangement, set()).add(row.target_source_id)
    targets["mix"].discard(None)  # its English samples
    assert len(targets) == 5
    alone = targets["en-first"] - targets.pop("random")
    assert all(held == targets["en-first"] for held in targets.values())
    run = shared_tables.read(RUNS).where("job = 'samples'").head(1)[0]
    assert run.dropped["none_near"] == len(alone) < 10
    assert {source[:2] for source in alone} >= {"ko", "pt"}  # which have a single pair


def test_no_random_sample_has_its_own_english_page(shared_tables: Tables) -> None:
    own = {row.pair_id: f"en:{row.en_page_id}" for row in shared_tables.read(PAIRS).collect()}
    rows = shared_tables.select(SAMPLES, {"arrangement": ["random"]}).collect()
    assert [row.pair_id for row in rows if row.en_source_id == own[row.pair_id]] == []


def test_no_document_is_on_both_sides_of_the_split(shared_tables: Tables) -> None:
    splits: dict[str, set[str]] = {}
    for row in shared_tables.read(SAMPLES).collect():
        for source in (row.en_source_id, row.target_source_id):
            if source:
                splits.setdefault(source, set()).add(row.split)
    assert {len(sides) for sides in splits.values()} == {1}
    assert {side for sides in splits.values() for side in sides} == {"train", "validation"}


def test_the_segments_of_a_side_joined_are_its_text(shared_tables: Tables) -> None:
    texts = {f"{row.lang}:{row.page_id}": row.text for row in shared_tables.read(PAGES).collect()}
    samples = shared_tables.select(SAMPLES, {"arrangement": ["en-first"]}).orderBy("segment")
    joined: dict[str, dict[str, str]] = {}
    for row in samples.collect():
        sides = joined.setdefault(row.pair_id, {row.en_source_id: "", row.target_source_id: ""})
        sides[row.en_source_id] += row.en_text
        sides[row.target_source_id] += row.target_text
    assert len(joined) == shared_tables.read(PAIRS).count()
    assert all(
        visible(text) == visible(texts[key])
        for sides in joined.values()
        for key, text in sides.items()
    )
