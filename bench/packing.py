"""What segmenting and packing cost beside the bare tokenizer, how full the windows get, and how
many segments stand in a window with the segment before them.

    python -m bench.packing [shared data folder]

The folder defaults to $CROSSIC_SHARED_DATA, else ../shared/data beside the repository.
"""

from __future__ import annotations

import argparse
import bz2
import json
import random
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from bench.wikitext import shared_folder
from crossic_etl.kernels.samples.arrangements import Recipe, Sample, make_samples
from crossic_etl.kernels.samples.names import ORDERS, SHUFFLED
from crossic_etl.kernels.samples.packing import POLICIES, PackedSample, PackedWindow, pack
from crossic_etl.kernels.samples.segments import NO_DOCUMENT, Document, tokenize_documents
from crossic_etl.kernels.tokens.tokenizers import Tokenizer, load_tokenizer
from crossic_etl.kernels.wikitext import to_text

LENGTH = 4096
MAX_TOKENS = (512, 768, 1024, 2048, 4096)
ROUNDS = 3
BATCH = 50

Article = tuple[str, str]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    data: Path = parser.parse_args(argv).data
    if not (data / "EXPECTED.json").exists():
        sys.exit(f"no shared data in {data}: give its folder, or set CROSSIC_SHARED_DATA")
    tokenizer = load_tokenizer()
    articles = {lang: dict(read_articles(data, lang)) for lang in ("en", "ar", "es", "ja", "th")}
    pairs = list(read_pairs(data, articles))
    everything = pairs + lone_articles(articles, pairs)
    n_characters = sum(len(text) for sides in everything for _, text in sides)
    print(f"{len(pairs)} pairs, {len(everything) - len(pairs)} lone, {n_characters:,} characters")
    print_speed(everything, tokenizer)
    print_utilisation("pairs, en-first", pairs, tokenizer)
    print_utilisation("pairs and lone articles", everything, tokenizer)


def read_articles(data: Path, lang: str) -> Iterator[tuple[int, str]]:
    """(page_id, text) of each article in the wiki's dump that is no redirect."""
    dump = next((data / "wiki" / f"{lang}wiki").glob("*/*-multistream.xml.bz2"))
    with bz2.open(dump) as file:
        yield from _articles(file, lang)


def _articles(file: IO[bytes], lang: str) -> Iterator[tuple[int, str]]:
    for _, page in ET.iterparse(file):
        if page.tag.endswith("}page") and page.find("{*}redirect") is None:
            if page.findtext("{*}ns") == "0":
                source = page.findtext("{*}revision/{*}text") or ""
                yield int(page.findtext("{*}id") or 0), to_text(source, lang).text
            page.clear()


def read_pairs(
    data: Path, articles: dict[str, dict[int, str]]
) -> Iterator[tuple[Article, Article]]:
    """The pairs of the shared data, each side as (lang, text)."""
    expected = json.loads((data / "EXPECTED.json").read_text(encoding="utf-8"))
    for lang, pairs in sorted(expected["pairs"]["list"].items()):
        for pair in pairs if lang in articles else ():
            english = articles["en"][pair["en_page_id"]]
            yield ("en", english), (lang, articles[lang][pair["page_id"]])


def lone_articles(
    articles: dict[str, dict[int, str]], pairs: Sequence[tuple[Article, Article]]
) -> list[tuple[Article, Article]]:
    """The articles without a counterpart, each with an empty one, for volume."""
    paired = {text for sides in pairs for _, text in sides}
    return [
        (("en", text), ("", "")) if lang == "en" else (("en", ""), (lang, text))
        for lang, texts in articles.items()
        for text in texts.values()
        if text and text not in paired
    ]


def print_speed(pairs: Sequence[tuple[Article, Article]], tokenizer: Tokenizer) -> None:
    """The rate of the whole way to windows as a share of the tokenizer's alone, best of a few."""
    import tiktoken

    bare = tokenizer._backend._encoding  # type: ignore[attr-defined]
    assert isinstance(bare, tiktoken.Encoding)
    texts = [text for sides in pairs for _, text in sides]
    n_tokens = sum(len(bare.encode_ordinary(text)) for text in texts)

    def tokenize_only() -> None:
        for text in texts:
            bare.encode_ordinary(text)

    def all_the_way() -> None:
        samples = samples_of(pairs, tokenizer, 1024)
        for _ in pack(
            ((sample.sample_id, sample.input_ids) for sample in samples), LENGTH, "sliding"
        ):
            pass

    def only_ids() -> None:
        tokenizer.encode_batch(texts)

    alone = full = ids = float("inf")
    for _ in range(ROUNDS):
        alone = min(alone, seconds(tokenize_only))
        ids = min(ids, seconds(only_ids))
        full = min(full, seconds(all_the_way))
    print(f"tokenizer alone              {n_tokens / alone / 1e6:.2f} million tokens/s")
    print(f"with arrays and ends         {n_tokens / ids / 1e6:.2f} ({alone / ids:.2f} of alone)")
    print(f"tokenize + segment + pack    {n_tokens / full / 1e6:.2f} ({alone / full:.2f} of alone)")


def print_utilisation(
    what: str, pairs: Sequence[tuple[Article, Article]], tokenizer: Tokenizer
) -> None:
    """For several lengths of samples: `measure` of each order and policy."""
    print(f"windows of {LENGTH}, {what}: new tokens, segments with the one before (windows)")
    for max_tokens in MAX_TOKENS:
        made = list(samples_of(pairs, tokenizer, max_tokens))
        mean = sum(len(sample.input_ids) for sample in made) / len(made)
        print(f"  at most {max_tokens:4}: {len(made)} samples of {mean:.0f}")
        for order in ORDERS:
            stream = arrange(made, order)
            print(f"    {order:9}", *(measure(stream, policy) for policy in POLICIES))


def arrange(samples: Sequence[Sample], order: str) -> list[PackedSample]:
    """One stream of samples, named ``document:segment``: in any order, or documents in any."""
    documents: list[list[PackedSample]] = []
    for sample in samples:
        if sample.segment == 0:
            documents.append([])
        name = f"{len(documents)}:{sample.segment}"
        documents[-1].append((name, sample.input_ids))
    if order == SHUFFLED:
        documents = [[sample] for document in documents for sample in document]
    random.Random(0).shuffle(documents)
    return [sample for document in documents for sample in document]


def measure(stream: Sequence[PackedSample], policy: str) -> str:
    """The share of new tokens, and that of segments, after a document's first, which are whole in
    the window that has the segment before them whole; and the number of windows.
    """
    windows = list(pack(stream, LENGTH, policy, lambda name: name.partition(":")[0]))
    new = sum(window.n_new for window in windows) / LENGTH / len(windows)
    n_later = sum(not name.endswith(":0") for name, _ in stream)
    together = sum(map(count_together, windows)) / max(1, n_later)
    return f"{policy} {new:.4f} {together:.4f} ({len(windows)})"


def count_together(window: PackedWindow) -> int:
    """The whole segments of a window that have the one before them in it."""
    whole = {tuple(map(int, name.split(":"))) for name in window.sample_ids[: window.n_whole]}
    return sum((document, segment - 1) in whole for document, segment in whole)


def samples_of(
    pairs: Sequence[tuple[Article, Article]], tokenizer: Tokenizer, max_tokens: int
) -> Iterator[Sample]:
    """The en-first samples of the pairs, tokenized in batches as a job's Arrow batches are."""
    recipe = Recipe(tokenizer, max_tokens)
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        sides = [side for pair in batch for side in pair]
        langs, texts = [lang for lang, _ in sides], [text for _, text in sides]
        documents: list[Document] = tokenize_documents(texts, langs, tokenizer)
        for i, english in enumerate(documents[::2]):
            target = documents[2 * i + 1] if texts[2 * i + 1] else NO_DOCUMENT
            yield from make_samples(["en-first"], english, target, (str(start), str(i)), recipe)


def seconds(work: Callable[[], None]) -> float:
    """Processor time: all of it runs on one thread, and the machine may have other work."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
