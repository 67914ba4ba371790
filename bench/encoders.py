"""Right document first, by span length, and what embedding costs beside the bare encoder.

    python -m bench.encoders [--spans 1000 2000 …] [--model FOLDER] [shared data folder]

*News*: 62 professionally translated documents in each of six languages, each looking for its
English original among all English texts of the crawl files. *Pages*: the articles of the shared
dumps that have one in English, each looking for it among all English articles (Arabic, Spanish and
Thai; the others have one or two). One thread; seconds are processor time.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from bench.wikitext import shared_folder
from crossic_etl.kernels.encoding.embedding import Embedded, embed_batch
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spans import SpanRule, find_spans
from crossic_etl.kernels.encoding.spec import (
    EMBEDDED,
    SENTENCE_TRANSFORMERS,
    Encoder,
    EncoderSpec,
    Kind,
)
from crossic_etl.kernels.search.calibration import calibrate, wrong_partners
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext import to_text
from tests.support.wikitext_articles import shared_articles

LANGUAGES = ("ar", "es", "ja", "ko", "pt", "th")
WITH_PAGES = ("ar", "es", "th")
SPANS = (300, 600, 1000, 2000, 4000)
ROUNDS = 3


@dataclass(frozen=True)
class Search:
    """Texts that look for one text each: ``right`` holds its position in ``corpus``."""

    lang: str
    queries: list[str]
    corpus: list[str]
    right: list[int]


def main(argv: Sequence[str] | None = None) -> None:
    """Print recall and MRR for each rule, then thresholds, rates and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, nargs="*", default=SPANS, help="lead lengths")
    parser.add_argument("--model", default="", help="folder for sentence-transformers")
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    arguments = parser.parse_args(argv)
    backend = SENTENCE_TRANSFORMERS if arguments.model else EMBEDDED
    encoder = load_encoder(EncoderSpec(backend, arguments.model))
    print(f"{encoder.name} {encoder.revision}, {encoder.dimension} numbers; memory {peak()} MB")
    news, pages = read_news(arguments.data), read_pages(arguments.data)
    rules = [SpanRule("lead", length) for length in arguments.spans]
    rules += [SpanRule("mean", 600, 4), SpanRule("mean", 1000, 4)]
    print(
        "recall@1 / MRR"
        + "".join(f"{name:>13}" for name in (*LANGUAGES, "pages:ar", "pages:es", "pages:th"))
    )
    for rule in rules:
        print_recall(encoder, rule, news + pages)
    print_thresholds(encoder, SpanRule(), news)
    print_rates(encoder, SpanRule(), news)
    print(f"peak memory {peak()} MB")


def read_news(data: Path) -> list[Search]:
    """The translated documents of each language, among the crawl's distinct English texts."""
    english = _crawl(data, "en")
    corpus = sorted(set(english.values()))
    position = {text: at for at, text in enumerate(corpus)}
    with (data / "crawl" / "ntrex_pairs.tsv").open(encoding="utf-8", newline="") as table:
        gold = list(csv.DictReader(table, delimiter="\t"))
    searches = []
    for lang in LANGUAGES:
        texts = _crawl(data, lang)
        rows = [row for row in gold if row["target_lang"] == lang]
        queries = [texts[row["target_id"]] for row in rows]
        right = [position[english[row["en_id"]]] for row in rows]
        searches.append(Search(lang, queries, corpus, right))
    return searches


def read_pages(data: Path) -> list[Search]:
    """The articles of each language with a known English one, among all English articles."""
    expected = json.loads((data / "EXPECTED.json").read_text(encoding="utf-8"))
    english = _articles(data, "en")
    position = {page_id: at for at, page_id in enumerate(english)}
    searches = []
    for lang in WITH_PAGES:
        articles, pairs = _articles(data, lang), expected["pairs"]["list"][lang]
        queries = [articles[pair["page_id"]] for pair in pairs]
        right = [position[pair["en_page_id"]] for pair in pairs]
        searches.append(Search(lang, queries, list(english.values()), right))
    return searches


def _crawl(data: Path, lang: str) -> dict[str, str]:
    table = pq.read_table(
        data / "crawl" / "fineweb" / f"{lang}-000.parquet", columns=["id", "text"]
    )
    return dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))


def _articles(data: Path, lang: str) -> dict[int, str]:
    wiki = Wiki.of(lang)
    texts = {
        article.page_id: to_text(article.wikitext, lang, wiki, article.title).text
        for article in shared_articles(data, lang)
    }
    return {page_id: text for page_id, text in texts.items() if text.strip()}


def embed(encoder: Encoder, texts: list[str], lang: str, kind: Kind, rule: SpanRule) -> Embedded:
    """The texts' vectors under a rule."""
    return embed_batch(encoder, texts, [lang] * len(texts), kind, rule)


def print_recall(encoder: Encoder, rule: SpanRule, searches: list[Search]) -> None:
    """One line: recall@1 and MRR of each search, and seconds for its English texts."""
    corpora: dict[int, Any] = {}
    cells, seconds = [], 0.0
    for search in searches:
        start = time.process_time()
        if id(search.corpus) not in corpora:
            corpora[id(search.corpus)] = embed(encoder, search.corpus, "en", "passage", rule)
        seconds += time.process_time() - start
        scores = similarities(encoder, rule, search, corpora[id(search.corpus)])
        own = scores[np.arange(len(scores)), search.right][:, None]
        ranks = 1 + (scores > own).sum(axis=1)
        cells.append(f"{(ranks == 1).mean():.3f} {(1 / ranks).mean():.3f}")
    print(f"{rule.name:<14}" + "".join(f"{cell:>13}" for cell in cells) + f" {seconds:6.1f} s")


def similarities(
    encoder: Encoder, rule: SpanRule, search: Search, corpus: Embedded
) -> npt.NDArray[np.float32]:
    """Cosine of each query with each text of the corpus."""
    queries = embed(encoder, search.queries, search.lang, "query", rule)
    return np.asarray(queries.vectors @ corpus.vectors.T)


def print_thresholds(encoder: Encoder, rule: SpanRule, searches: list[Search]) -> None:
    """Each language's threshold against ten random wrong documents for each right one."""
    corpus = embed(encoder, searches[0].corpus, "en", "passage", rule)
    right, wrong = {}, {}
    for search in searches:
        scores = similarities(encoder, rule, search, corpus)
        ids = [str(at) for at in search.right]
        partners = wrong_partners(ids, ids, seed=0, n_wrong=10)
        rows = np.arange(len(ids))
        right[search.lang] = scores[rows, search.right]
        wrong[search.lang] = scores[rows[:, None], np.array(search.right)[partners]]
    for precision, name in ((None, "best F1"), (0.9, "precision 0.9"), (0.99, "precision 0.99")):
        print(f"\nthreshold for {name}, ten random wrong documents for each right one, news")
        for lang, found in calibrate(right, wrong, precision, wrong_per_right=10).items():
            point = found.point
            print(
                f"{lang:<3} {point.threshold:.3f}: precision {point.precision:.3f}, "
                f"recall {point.recall:.3f}, F1 {point.f1:.3f}"
                if point
                else f"{lang:<3} none"
            )


def print_rates(encoder: Encoder, rule: SpanRule, searches: list[Search]) -> None:
    """Characters a second of the bare encoder on cut texts, and of `embed_batch` on whole ones."""
    print(
        f"\n{'one core':<14}{'bare':>12}{'embed_batch':>12}  ratio   characters/s, best of {ROUNDS}"
    )
    everything = [("en", searches[0].corpus)] + [(s.lang, s.queries) for s in searches]
    for lang, texts in everything:
        spans = [find_spans(text, lang, rule)[0] for text in texts]
        cut = [text[start:end] for text, (start, end) in zip(texts, spans, strict=True)]
        bare, ours = alternate(
            lambda cut=cut: encoder.encode(cut, "passage"),
            lambda lang=lang, texts=texts: embed(encoder, texts, lang, "passage", rule),
        )
        n = sum(map(len, cut))
        print(f"{lang:<14}{n / bare:12,.0f}{n / ours:12,.0f}  {bare / ours:.2f}")


def alternate(*calls: Callable[[], object]) -> list[float]:
    """The least processor time of each call over rounds in which they take turns."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for at, call in enumerate(calls):
            start = time.process_time()
            call()
            best[at] = min(best[at], time.process_time() - start)
    return best


def peak() -> int:
    """Most memory that the process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
