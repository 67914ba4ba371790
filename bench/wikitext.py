"""Our wikitext kernel beside other cleaners: speed, markup left, text kept, hostile input.

``python -m bench.wikitext [--every N] [--peers-on-hostile SECONDS]`` prints its tables, all
measured in one run on one core, as processor time. Needs the extra ``bench`` and the shared
data (beside the project, or where ``CROSSIC_SHARED_DATA`` says).
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench.wikitext_hostile import print_hostile
from bench.wikitext_peers import PEERS, Cleaner, ours
from tests.support.wikitext_articles import LANGUAGES, Article, pages_of_dump, shared_articles
from tests.support.wikitext_metric import Score, judge
from tests.support.wikitext_reference import reference

OURS = "crossic-etl"
ROUNDS = {OURS: 3}
TITLE = ("MB/s", "residue", "prose", "items", "headings", "leaks")


def shared_folder() -> Path:
    """Return the folder of the shared data."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("CROSSIC_SHARED_DATA", beside))


def groups(shared: Path, every: int) -> dict[str, list[Article]]:
    """Return the articles of each row group; of the two big wikis every ``every``-th by page id."""

    def some(lang: str) -> list[Article]:
        return [a for a in shared_articles(shared, lang) if a.page_id % every == 0]

    small = [lang for lang in LANGUAGES if lang not in ("en", "ja")]
    folder = shared / "wikitext"
    texts = {path.name: gzip.decompress(path.read_bytes()).decode() for path in folder.glob("*.gz")}
    single = [
        Article("de" if "[[Kategorie:" in text else "en", number, name, text)
        for number, (name, text) in enumerate(sorted(texts.items()))
    ]
    tables = pages_of_dump(folder / "enwiki-table-markup.xml.bz2", "en")
    return {
        "en": some("en"),
        "ja": some("ja"),
        "ar es ko pt th": [a for lang in small for a in shared_articles(shared, lang)],
        "wikitext/": [*single, *tables],
    }


def timed(clean: Cleaner, articles: Sequence[Article], rounds: int) -> tuple[list[str], float]:
    """Return the outputs and the MB/s of the best of ``rounds``."""
    clean(articles[0].wikitext, articles[0].lang)
    best, outputs = float("inf"), []
    for _ in range(rounds):
        started = time.process_time()
        outputs = [clean(article.wikitext, article.lang) for article in articles]
        best = min(best, time.process_time() - started)
    return outputs, sum(article.size for article in articles) / 1e6 / best


def scored(articles: Sequence[Article], outputs: dict[str, list[str]]) -> dict[str, Score]:
    """Judge every cleaner; what counts as text is what most of the others keep."""
    scores = dict.fromkeys(outputs, Score())
    for i, article in enumerate(articles):
        truth = reference(article.wikitext, article.lang)
        voters = [texts[i] for name, texts in outputs.items() if name != OURS]
        for name, texts in outputs.items():
            scores[name] += judge(truth, texts[i], article.lang, voters)
    return scores


def bz2_speed(shared: Path) -> float:
    """MB/s, in bytes that come out, at which one core unpacks the English dump."""
    (path,) = (shared / "wiki" / "enwiki").glob("*/*-pages-articles-multistream.xml.bz2")
    packed, best = path.read_bytes(), float("inf")
    for _ in range(3):
        started = time.process_time()
        size = len(bz2.decompress(packed))
        best = min(best, time.process_time() - started)
    return size / 1e6 / best


def print_group(name: str, articles: Sequence[Article], unpacking: float) -> None:
    """Print one group's table and how many times faster than each peer we are."""
    size = sum(article.size for article in articles) / 1e6
    print(f"\n{name}: {len(articles)} articles, {size:.2f} MB")
    print(f"{'':28}" + "".join(f"{title:>10}" for title in TITLE))
    outputs, speeds = {}, {}
    for label, make in {OURS: ours, **PEERS}.items():
        outputs[label], speeds[label] = timed(make(), articles, ROUNDS.get(label, 1))
    for label, score in scored(articles, outputs).items():
        shares = (score.prose_share, score.items_share, score.headings_share, score.leak_share)
        print(
            f"{label:28}{speeds[label]:10.1f}{score.residue:10.3%}"
            + "".join(f"{share:10.2%}" for share in shares)
        )
    print(f"{'bz2 decompression':28}{unpacking:10.1f}")
    ratios = {**speeds, "bz2": unpacking}
    ratios.pop(OURS)
    print("ours against: " + ", ".join(f"{n} {speeds[OURS] / v:.1f}x" for n, v in ratios.items()))


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=3, help="take every n-th page of en and ja")
    parser.add_argument("--peers-on-hostile", type=float, default=0.0, metavar="SECONDS")
    arguments = parser.parse_args(argv)
    logging.disable(logging.CRITICAL)
    shared = shared_folder()
    unpacking = bz2_speed(shared)
    for name, articles in groups(shared, arguments.every).items():
        print_group(name, articles, unpacking)
    print_hostile(shared, arguments.peers_on_hostile)


if __name__ == "__main__":
    main()
