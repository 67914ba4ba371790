"""Pairs of texts to the rows of ``samples``, tokenized a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from crossic_etl.kernels.samples.arrangements import ENGLISH, TARGET, Recipe, Sample, make_samples
from crossic_etl.kernels.samples.segments import Document, tokenize_documents

UNMATCHED, TOO_SHORT = "unmatched", "too_short"


class PairTexts(NamedTuple):
    """Two texts with their attribution, and the arrangements to make of them.

    A web document has no title and no revision, and may have no address.
    """

    pair_id: str
    target_lang: str
    split: str
    origin: str
    made_of: int
    arrangements: list[str]
    en_source_id: str
    en_title: str | None
    en_url: str | None
    en_revision_id: int | None
    en_licence: str
    en_text: str
    target_source_id: str
    target_title: str | None
    target_url: str | None
    target_revision_id: int | None
    target_licence: str
    target_text: str


def sample_rows(pairs: Sequence[PairTexts], recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Staged rows of all samples of these pairs; the first of each arrangement has ``n`` 1.

    A pair whose texts can't be cut gives one row with the outcome ``text`` instead. An arrangement
    without a sample gives a row with `UNMATCHED`, since each would have had one side, or with
    `TOO_SHORT`, where a text is white space. A pair's first row has the characters that were
    ``embedded`` for it.
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
    ids = (pair.en_source_id, pair.target_source_id)
    seen: set[str] = set()
    n_before = recipe.aligner.n_characters
    for sample in make_samples(pair.arrangements, english, target, ids, recipe):
        n_embedded = recipe.aligner.n_characters - n_before
        n_before += n_embedded
        counts = {"n": int(sample.arrangement not in seen), "embedded": n_embedded}
        yield _row(pair, sample, recipe) | counts
        seen.add(sample.arrangement)
    has_both = bool(english.text.strip() and target.text.strip())
    reason = UNMATCHED if has_both else TOO_SHORT
    for arrangement in pair.arrangements:
        if arrangement not in seen:
            yield {"outcome": reason, "target_lang": pair.target_lang, "n": 1}


def _row(pair: PairTexts, sample: Sample, recipe: Recipe) -> dict[str, Any]:
    row = {
        "outcome": "sample",
        "sample_id": sample.sample_id,
        "arrangement": sample.arrangement,
        "target_lang": pair.target_lang,
        "split": pair.split,
        "origin": pair.origin,
        "pair_id": pair.pair_id,
        "made_of": pair.made_of,
        "segment": sample.segment,
        "n_segments": sample.n_segments,
        "en_text": sample.english_text,
        "target_text": sample.target_text,
        "input_ids": sample.input_ids,
        "n_en_tokens": sample.n_english_tokens,
        "n_target_tokens": sample.n_target_tokens,
        "n_tokens": len(sample.input_ids),
        "cut": sample.cut,
        "similarity": sample.similarity,
        "n_unmatched": sample.n_unmatched or None,
        "tokenizer": recipe.tokenizer.name,
        "split_token": recipe.tokenizer.split_token,
        "licence": _licence(pair, sample.sides),
    }
    for side, prefix in ((ENGLISH, "en"), (TARGET, "target")):
        if side in sample.sides:
            row |= _attribution(pair, prefix)
    return row


def _attribution(pair: PairTexts, side: str) -> dict[str, Any]:
    names = [f"{side}_{name}" for name in ("source_id", "title", "url", "revision_id")]
    return {name: getattr(pair, name) for name in names}


def _licence(pair: PairTexts, sides: Sequence[str]) -> str:
    """The licences of the sides held, as an SPDX expression."""
    held = {ENGLISH: pair.en_licence, TARGET: pair.target_licence}
    return " AND ".join(sorted({held[side] for side in sides}))


def _broken(pair: PairTexts, error: Exception) -> dict[str, Any]:
    english = pair.en_title or pair.en_source_id
    target = pair.target_title or pair.target_source_id
    return {
        "outcome": "text",
        "target_lang": pair.target_lang,
        "n": len(pair.arrangements),
        "key": pair.pair_id,
        "detail": f"{english} / {target}: {type(error).__name__}: {error}"[:500],
    }
