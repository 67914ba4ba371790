"""Pairs of texts for ``bench.segments``: comparable ones, and with known alignment, scored here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext import to_text
from tests.support.wikitext_articles import shared_articles

LANGUAGES = ("ar", "es", "ja", "ko", "pt", "th")
TRANSLATED = ("ar", "es", "th")
FIRST_TRANSLATED_ID = 90_000_000
ARTICLES_A_DOCUMENT = 8
# Shares of the sections that English and target keep, and the share of the target's that moves.
DROPPED = ((1.0, 1.0, 0.0), (0.8, 0.8, 0.0), (0.9, 0.4, 0.0), (0.9, 0.5, 0.1))

Spans = dict[int, tuple[int, int]]
Positions = npt.NDArray[np.int64]


class Pair(NamedTuple):
    """Two texts on one subject; where it is known, the span of each section in each text."""

    name: str
    lang: str
    english: str
    target: str
    sections: tuple[Spans, Spans] = ({}, {})


def worlds(data: Path) -> dict[str, list[Pair]]:
    """The pairs of each kind."""
    translated, comparable = read_pairs(data)
    made = {
        f"known {here}/{there}" + (f" moved {moved}" if moved else ""): [
            known_pair(f"{lang}{i}", lang, articles, (here, there, moved))
            for lang, pairs in translated.items()
            for i, articles in enumerate(_groups(pairs))
        ]
        for here, there, moved in DROPPED
    }
    whole = [
        known_pair(f"{lang}{i}", lang, [article], (1.0, 1.0, 0.0))
        for lang, pairs in translated.items()
        for i, article in enumerate(pairs)
    ]
    return made | {"whole articles": whole, "comparable": comparable}


def read_pairs(data: Path) -> tuple[dict[str, list[tuple[str, str]]], list[Pair]]:
    """(English, target) texts of the translated articles of each language; comparable pairs."""
    expected = json.loads((data / "EXPECTED.json").read_text(encoding="utf-8"))["pairs"]["list"]
    english = _articles(data, "en")
    translated: dict[str, list[tuple[str, str]]] = {lang: [] for lang in TRANSLATED}
    comparable = []
    for lang in LANGUAGES:
        articles = _articles(data, lang)
        for pair in sorted(expected[lang], key=lambda pair: int(pair["page_id"])):
            texts = english[pair["en_page_id"]], articles[pair["page_id"]]
            if min(pair["page_id"], pair["en_page_id"]) >= FIRST_TRANSLATED_ID:
                translated[lang].append(texts)
            elif pair["page_id"] < FIRST_TRANSLATED_ID:
                comparable.append(Pair(f"{pair['en_title']} {lang}", lang, *texts))
    return translated, comparable


def known_pair(
    name: str, lang: str, articles: Sequence[tuple[str, str]], shares: tuple[float, float, float]
) -> Pair:
    """The articles' sections in a row, as many as each side keeps, some of the target's moved."""
    here, there, moved = shares
    sections = [
        section
        for english, target in articles
        for section in zip(english.split("\n\n"), target.split("\n\n"), strict=True)
    ]
    numbers = range(len(sections))
    draw = {(i, what): _uniform(name, i, what) for i in numbers for what in ("en", "t", "m", "to")}
    left = [i for i in numbers if draw[i, "en"] < here]
    right = [i for i in numbers if draw[i, "t"] < there]
    places = {i: draw[i, "to"] * len(sections) if draw[i, "m"] < moved else float(i) for i in right}
    right.sort(key=lambda i: (places[i], i))
    english, english_spans = _joined([sections[i][0] for i in left], left)
    target, target_spans = _joined([sections[i][1] for i in right], right)
    return Pair(name, lang, english, target, (english_spans, target_spans))


def known_shares(pair: Pair, sides: tuple[list[str], list[str]]) -> Iterator[tuple[float, int]]:
    """For each section that both sides have: the share that stands together, and its size."""
    of_english, of_target = (
        _shares(spans, whole, texts)
        for spans, whole, texts in zip(
            pair.sections, (pair.english, pair.target), sides, strict=True
        )
    )
    for section in of_english.keys() & of_target.keys():
        together = np.minimum(of_english[section], of_target[section]).sum()
        size = sum(spans[section][1] - spans[section][0] for spans in pair.sections)
        yield float(together), size


def _articles(data: Path, lang: str) -> dict[int, str]:
    wiki = Wiki.of(lang)
    return {
        article.page_id: to_text(article.wikitext, lang, wiki, article.title).text
        for article in shared_articles(data, lang)
    }


def _groups(pairs: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    """The articles of each long document, all of them full."""
    n_documents = len(pairs) // ARTICLES_A_DOCUMENT
    return [pairs[i::n_documents] for i in range(n_documents)]


def _joined(sections: Sequence[str], numbers: Sequence[int]) -> tuple[str, Spans]:
    stops = list(accumulate(len(section) + 2 for section in sections))
    spans = {
        number: (stop - 2 - len(section), stop - 2)
        for number, section, stop in zip(numbers, sections, stops, strict=True)
    }
    return "\n\n".join(sections), spans


def _uniform(*key: object) -> float:
    """A number from 0 to 1 that depends on nothing but the key."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2.0**64


def _shares(spans: Spans, whole: str, texts: Sequence[str]) -> dict[int, npt.NDArray[np.float64]]:
    """For each section the share of it that each of the texts, which follow one another, holds."""
    starts, stops = _edges(whole, texts)
    return {
        section: (np.minimum(stops, stop) - np.maximum(starts, start)).clip(0) / (stop - start)
        for section, (start, stop) in spans.items()
    }


def _edges(whole: str, texts: Sequence[str]) -> tuple[Positions, Positions]:
    """Where each text starts and stops in the whole one; between two there may be white space."""
    starts, at = [], 0
    for text in texts:
        starts.append(whole.index(text, at))
        at = starts[-1] + len(text)
    return np.array(starts), np.array(starts) + np.array([len(text) for text in texts])
