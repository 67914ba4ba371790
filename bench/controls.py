"""Does ``random`` differ from ``en-first`` in its subjects alone, or in the lengths of sides too?

    python -m bench.controls [--max-tokens 512 1024 4096] [--align encoder] [--seed 0] [shared data]

The pairs of the shared dumps, arranged by the job's own transform, and cut as the job cuts them:
by ``segment.align``, and ``random`` by position, since its sides don't match. Lines: ``en-first``
of all pairs; ``en-first`` of the pairs that have a partner near in length; ``random`` of these;
and, as a baseline, each text of all pairs with the next one in the order of a hash, of any length.
Columns are the pairs, their samples, the share of samples with an empty side, and the share of
lopsided ones among those with two sides. A language's only pair has no ``random`` sample.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.segments import Judge
from bench.wikitext import shared_folder
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spec import EncoderSpec
from crossic_etl.kernels.samples.aligner import Aligner
from crossic_etl.kernels.samples.arrangements import Recipe, make_samples
from crossic_etl.kernels.samples.names import ALIGNMENTS, BY_ENCODER
from crossic_etl.kernels.samples.segments import Document, tokenize_documents
from crossic_etl.kernels.samples.shares import COUNTS, LOPSIDED, SampleShares, add_up
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext import to_text
from crossic_etl.session import get_session
from crossic_etl.transforms.english_swaps import swap_english
from tests.support.wikitext_articles import shared_articles

MAX_TOKENS = (512, 1024, 4096)
LANGUAGES = ("ar", "es", "ja", "ko", "pt", "th")
# What the lopsided shares may differ by, as a share; by a sample where that is more.
MOST_APART = 0.01
SCHEMA = (
    "pair_id string, target_lang string, split string, en_source_id string, en_n_chars int, "
    "en_text_hash string"
)


class Pair(NamedTuple):
    """An English page and a page of a language, by their source ids."""

    lang: str
    english: str
    target: str


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the table, and whether the goal is reached at each budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-tokens", type=int, nargs="*", default=MAX_TOKENS)
    parser.add_argument("--align", choices=ALIGNMENTS, default=BY_ENCODER)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    given = parser.parse_args(argv)
    if not (given.data / "EXPECTED.json").exists():
        sys.exit(f"no shared data in {given.data}: give its folder, or set CROSSIC_SHARED_DATA")
    pairs, texts = read_pairs(given.data)
    documents = tokenized(texts)
    own = {pair: pair.english for pair in pairs}
    swapped = swap(pairs, texts, given.seed)
    lines = {
        "en-first": own,
        "en-first of these pairs": {pair: pair.english for pair in swapped},
        "random": swapped,
        "random of any length": swap_any(pairs, given.seed),
    }
    aligner = Aligner(given.align, Judge(load_encoder(EncoderSpec())))
    print(f"{'':<32}{'pairs':>6}{'samples':>9}{'one-sided':>11}{'lopsided':>10}")
    for budget in given.max_tokens:
        recipe = Recipe(load_tokenizer(), budget, aligner=aligner)
        found = {
            name: shares(chosen, documents, "random" if "random" in name else "en-first", recipe)
            for name, chosen in lines.items()
        }
        for name, one in found.items():
            _, one_sided, lopsided = one.cells()
            label = f"{budget:>4} {name}"
            print(f"{label:<32}{len(lines[name]):>6}{one.samples:>9}{one_sided:>11}{lopsided:>10}")
        print_goal(budget, found["random"], found["en-first of these pairs"])


def print_goal(budget: int, control: SampleShares, method: SampleShares) -> None:
    """Whether the control's lopsided share is near that of the method on the same pairs."""
    apart = (control.lopsided or 0.0) - (method.lopsided or 0.0)
    most = max(MOST_APART, 1 / control.samples)
    verdict = "reached" if round(abs(apart), 4) <= round(most, 4) else "missed"
    print(f"{budget:>4} lopsided: {100 * apart:+.1f} points, goal 1 or a sample: {verdict}")


def read_pairs(data: Path) -> tuple[list[Pair], dict[str, tuple[str, str]]]:
    """All pairs of the shared dumps; source id to (language, text)."""
    expected = json.loads((data / "EXPECTED.json").read_text(encoding="utf-8"))["pairs"]["list"]
    pairs = [
        Pair(lang, f"en:{pair['en_page_id']}", f"{lang}:{pair['page_id']}")
        for lang in LANGUAGES
        for pair in expected[lang]
    ]
    used = {source for pair in pairs for source in (pair.english, pair.target)}
    texts = {}
    for lang in ("en", *LANGUAGES):
        wiki = Wiki.of(lang)
        for article in shared_articles(data, lang):
            if (source := f"{lang}:{article.page_id}") in used:
                text = to_text(article.wikitext, lang, wiki, article.title).text
                texts[source] = (lang, text)
    return pairs, texts


def tokenized(texts: Mapping[str, tuple[str, str]]) -> dict[str, Document]:
    """Source id to the text with its tokens."""
    langs, bodies = zip(*texts.values(), strict=True)
    documents = tokenize_documents(bodies, langs, load_tokenizer())
    return dict(zip(texts, documents, strict=True))


def swap(pairs: Sequence[Pair], texts: Mapping[str, tuple[str, str]], seed: int) -> dict[Pair, str]:
    """Pair to the English page that the job gives it in ``random``."""
    rows = []
    for i, pair in enumerate(pairs):
        text = texts[pair.english][1]
        hashed = hashlib.sha256(text.encode()).hexdigest()
        rows.append((str(i), pair.lang, "train", pair.english, len(text), hashed))
    spark = get_session("bench", brief=True)
    found = swap_english(spark.createDataFrame(rows, SCHEMA), seed).collect()
    spark.stop()
    others = {int(row.pair_id): row.other_en_source_id for row in found}
    return {pairs[i]: others[i] for i in sorted(others) if others[i] is not None}


def swap_any(pairs: Sequence[Pair], seed: int) -> dict[Pair, str]:
    """Pair to the English page of the next pair of its language in the order of a hash."""
    swapped = {}
    for lang in LANGUAGES:
        ordered = sorted(
            (pair for pair in pairs if pair.lang == lang),
            key=lambda pair: hashlib.blake2b(f"{seed} {pair}".encode()).digest(),
        )
        for pair, following in zip(ordered, ordered[1:] + ordered[:1], strict=True):
            if following != pair:
                swapped[pair] = following.english
    return swapped


def shares(
    chosen: Mapping[Pair, str], documents: Mapping[str, Document], arrangement: str, recipe: Recipe
) -> SampleShares:
    """The shares of the samples that these pairs make with these English pages."""
    sides = [
        sorted((sample.n_english_tokens, sample.n_target_tokens))
        for pair, english in chosen.items()
        for sample in make_samples(
            [arrangement],
            documents[english],
            documents[pair.target],
            (english, pair.target),
            recipe,
        )
    ]
    two = [(fewer, more) for fewer, more in sides if fewer]
    lopsided = sum(more > LOPSIDED * fewer for fewer, more in two)
    counts = (len(sides), len(sides), len(two), lopsided, 0, 0)
    return add_up([dict(zip(COUNTS, counts, strict=True))])


if __name__ == "__main__":
    main()
