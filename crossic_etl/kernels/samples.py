"""Pairs of texts to the rows of ``samples``, tokenized a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from crossic_etl.kernels.arrangements import ENGLISH, TARGET, Recipe, Sample, make_samples
from crossic_etl.kernels.segments import Document, tokenize_documents


class PairTexts(NamedTuple):
    """Two pages with their texts and attribution, and the arrangements to make of them."""

    pair_id: str
    target_lang: str
    split: str
    arrangements: list[str]
    en_page_id: int
    en_title: str
    en_url: str
    en_revision_id: int | None
    en_licence: str
    en_text: str
    target_page_id: int
    target_title: str
    target_url: str
    target_revision_id: int | None
    target_licence: str
    target_text: str


def sample_rows(pairs: Sequence[PairTexts], recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Staged rows of all samples of these pairs; the first of each arrangement has ``n`` 1.

    A pair whose texts can't be cut gives one row with the outcome ``text`` instead.
    """
    texts = [text for pair in pairs for text in (pair.en_text, pair.target_text)]
    langs = [lang for pair in pairs for lang in ("en", pair.target_lang)]
    documents = iter(tokenize_documents(texts, langs, recipe.tokenizer))
    for pair, english, target in zip(pairs, documents, documents, strict=True):
        try:
            rows = list(_pair_rows(pair, english, target, recipe))
        except Exception as error:  # one pair must not stop a job
            yield _broken(pair, error)
        else:
            yield from rows


def _pair_rows(
    pair: PairTexts, english: Document, target: Document, recipe: Recipe
) -> Iterator[dict[str, Any]]:
    ids = (f"en:{pair.en_page_id}", f"{pair.target_lang}:{pair.target_page_id}")
    seen: set[str] = set()
    for sample in make_samples(pair.arrangements, english, target, ids, recipe):
        yield _row(pair, sample, ids, recipe) | {"n": int(sample.arrangement not in seen)}
        seen.add(sample.arrangement)


def _row(pair: PairTexts, sample: Sample, ids: tuple[str, str], recipe: Recipe) -> dict[str, Any]:
    row = {
        "outcome": "sample",
        "sample_id": sample.sample_id,
        "arrangement": sample.arrangement,
        "target_lang": pair.target_lang,
        "split": pair.split,
        "origin": "wikipedia",
        "pair_id": pair.pair_id,
        "segment": sample.segment,
        "n_segments": sample.n_segments,
        "en_text": sample.english_text,
        "target_text": sample.target_text,
        "input_ids": sample.input_ids,
        "n_en_tokens": sample.n_english_tokens,
        "n_target_tokens": sample.n_target_tokens,
        "n_tokens": len(sample.input_ids),
        "tokenizer": recipe.tokenizer.name,
        "split_token": recipe.tokenizer.split_token,
        "licence": _licence(pair, sample.sides),
    }
    if ENGLISH in sample.sides:
        row |= _attribution("en", ids[0], pair.en_title, pair.en_url, pair.en_revision_id)
    if TARGET in sample.sides:
        row |= _attribution(
            "target", ids[1], pair.target_title, pair.target_url, pair.target_revision_id
        )
    return row


def _attribution(
    side: str, source_id: str, title: str, url: str, revision_id: int | None
) -> dict[str, Any]:
    return {
        f"{side}_source_id": source_id,
        f"{side}_title": title,
        f"{side}_url": url,
        f"{side}_revision_id": revision_id,
    }


def _licence(pair: PairTexts, sides: Sequence[str]) -> str:
    """The licences of the sides held, as an SPDX expression."""
    held = {ENGLISH: pair.en_licence, TARGET: pair.target_licence}
    return " AND ".join(sorted({held[side] for side in sides}))


def _broken(pair: PairTexts, error: Exception) -> dict[str, Any]:
    return {
        "outcome": "text",
        "target_lang": pair.target_lang,
        "n": len(pair.arrangements),
        "key": pair.pair_id,
        "detail": f"{pair.en_title} / {pair.target_title}: {type(error).__name__}: {error}"[:500],
    }
