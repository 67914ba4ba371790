"""Recall against work of routed search, and what search on Spark costs beside FAISS alone.

    python -m bench.retrieval recall [--limit N] [shared data folder]
    python -m bench.retrieval scale [--vectors N] [--queries N] [--shards N] … [shared data folder]

Vectors are real: the embedded encoder's, one for each paragraph of the shared dumps and crawl
files (long ones in pieces), kept in the temporary folder between runs. Never tuned on synthetic
clusters, which flatter every approximate index. `scale` takes perturbed copies of them to get the
number, in one run: FAISS's flat index in one process, its IVF, the exact and the routed job.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from bench.packing import read_articles
from bench.wikitext import LANGUAGES, shared_folder
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spec import EncoderSpec
from crossic_etl.kernels.search.indexes import INDEXES
from crossic_etl.kernels.search.plan import EXACT, ROUTED, SearchSize, plan_search
from crossic_etl.kernels.search.quantizer import assign, train
from crossic_etl.kernels.search.settings import Search
from crossic_etl.kernels.search.shard import search_cell
from crossic_etl.kernels.search.vectors import HALF_BYTES, Floats, Ints, Longs
from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates
from crossic_etl.transforms.neighbours import recall_at_k
from crossic_etl.transforms.quantizers import load_router, sample_by_hash, train_quantizer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

K = 10
SHORTEST, LONGEST = 10, 300
CACHE = "crossic-etl-bench-paragraphs.npy"
CELLS = (64, 128, 256, 512, 1024)
SHARES = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15)
BATCH = 4096
T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["recall", "scale"])
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    parser.add_argument("--limit", type=int, help="paragraphs that are embedded")
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--vectors", type=int, default=200_000)
    parser.add_argument("--noise", type=float, default=0.5, help="length beside the vector's 1")
    parser.add_argument("--half", action="store_true", help="vectors stored in half precision")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--cells", type=int, default=512)
    parser.add_argument("--nprobe", type=int, default=32)
    parser.add_argument("--sample", type=int, default=32_768, help="vectors the cells are made of")
    parser.add_argument("--index", choices=list(INDEXES), default="Flat")
    parser.add_argument("--block", type=int, default=4_096, help="queries searched together")
    given = parser.parse_args(argv)
    vectors = paragraphs(given.data, given.limit)
    print(f"{len(vectors):,} paragraphs of {vectors.shape[1]} floats; {_cores()} cores")
    (print_recall if given.what == "recall" else print_scale)(vectors, given)


def paragraphs(data: Path, limit: int | None) -> Floats:
    """The vectors of the paragraphs, in an order by chance; embedded once."""
    cache = Path(tempfile.gettempdir()) / CACHE
    if cache.exists():
        vectors: Floats = np.load(cache)
        return vectors[:limit]
    texts = sorted(set(_paragraphs(data)))
    texts = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))][:limit]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    encoder = load_encoder(EncoderSpec())
    vectors = np.empty((len(texts), encoder.dimension), np.float32)
    for start in range(0, len(order), 256):
        batch = order[start : start + 256]
        vectors[batch] = encoder.encode([texts[i] for i in batch], "passage")
    if limit is None:
        np.save(cache, vectors)
    return vectors


def _paragraphs(data: Path) -> Iterator[str]:
    for text in _texts(data):
        for line in map(str.strip, text.split("\n")):
            for start in range(0, len(line), LONGEST):
                if len(piece := line[start : start + LONGEST].strip()) >= SHORTEST:
                    yield piece


def _texts(data: Path) -> Iterator[str]:
    for lang in LANGUAGES:
        yield from (text for _, text in read_articles(data, lang))
    for path in sorted((data / "crawl" / "fineweb").glob("*.parquet")):
        yield from pq.read_table(path, columns=["text"]).column("text").to_pylist()
    for path in sorted((data / "crawl" / "jsonl").glob("*.gz")):
        with gzip.open(path) as lines:
            yield from (json.loads(line).get("text") or "" for line in lines)


def print_recall(vectors: Floats, given: argparse.Namespace) -> None:
    """Recall@10 by share of distances, for cells of several numbers, and for each index."""
    queries, corpus = vectors[: given.queries], vectors[given.queries :]
    exact = search_cell([corpus], queries, Search(K, vectors.shape[1], threads=_cores()))
    print(f"{len(queries):,} queries in {len(corpus):,}; distances to centroids not counted")
    for cells in (n for n in CELLS if n * 32 <= len(corpus)):
        quantizer = train(corpus[: given.sample], cells, 0, threads=_cores())
        of_corpus = assign(corpus, quantizer.centroids, 1, _cores())[:, 0]
        probed = assign(queries, quantizer.centroids, cells, _cores())
        for nprobe in sorted({max(1, round(share * cells)) for share in SHARES}):
            recall, share = _recall(exact.positions, of_corpus, probed[:, :nprobe])
            print(f"  {cells:5} cells, nprobe {nprobe:4}: {share:6.1%} of distances, {recall:.3f}")
    for index in INDEXES:
        search = Search(K, vectors.shape[1], index, index_from=1, threads=_cores())
        seconds, found = timed(lambda search=search: search_cell([corpus], queries, search))
        hits = (found.positions[:, :, None] == exact.positions[:, None, :]).any(axis=2)
        print(f"  one cell, {index:7} {hits.mean():.3f} in {seconds:.1f} s, building included")


def _recall(exact: Longs, of_corpus: Ints, probed: Ints) -> tuple[float, float]:
    """Share of exact's neighbours in probed cells, and of the corpus in them: exact in a cell."""
    reached = (of_corpus[exact][:, :, None] == probed[:, None, :]).any(axis=2)
    sizes = np.bincount(of_corpus, minlength=int(probed.max()) + 1)
    return float(reached.mean()), float(sizes[probed].sum(axis=1).mean() / len(of_corpus))


def print_scale(vectors: Floats, given: argparse.Namespace) -> None:
    """Seconds of FAISS alone and of both jobs, on vectors made from the real ones."""
    from crossic_etl.session import get_session

    folder = Path(tempfile.mkdtemp(prefix="crossic-etl-bench-"))
    try:
        corpus = write_copies(folder / "corpus", vectors, given.vectors, given, 1)
        queries = write_copies(folder / "queries", vectors, given.queries, given, 2)
        faiss.omp_set_num_threads(_cores())
        flat = faiss_seconds("one process, IndexFlatIP", "Flat", corpus, queries, given)
        faiss_seconds("one process, IVF", f"IVF{given.cells},Flat", corpus, queries, given)
        spark = get_session("bench")
        spark.range(1).collect()
        jobs_seconds(spark, folder, given, flat)
    finally:
        shutil.rmtree(folder)


def write_copies(
    folder: Path, vectors: Floats, n: int, given: argparse.Namespace, seed: int
) -> Floats:
    """``n`` perturbed copies of unit length, also as Parquet ``id, lang, vector``."""
    random = np.random.default_rng(seed)
    folder.mkdir()
    made = np.empty((n, vectors.shape[1]), np.float32)
    for start in range(0, n, 50_000):
        rows = random.integers(0, len(vectors), min(50_000, n - start))
        part = random.standard_normal((len(rows), vectors.shape[1]), np.float32)
        part *= given.noise / vectors.shape[1] ** 0.5
        part += vectors[rows]
        made[start : start + len(rows)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    ids = pa.array([f"{i:032x}" for i in range(n)])
    langs = pa.array(["en"] * n)
    column = _half(made) if given.half else _lists(made)
    table = pa.table({"id": ids, "lang": langs, "vector": column})
    step = -(-n // (4 * _cores()))
    for part in range(0, n, step):
        pq.write_table(table.slice(part, step), folder / f"{part:09}.parquet", compression="none")
    return made


def _lists(made: Floats) -> pa.Array:
    offsets = np.arange(len(made) + 1, dtype=np.int32) * np.int32(made.shape[1])
    return pa.ListArray.from_arrays(offsets, pa.array(made.ravel()))


def _half(made: Floats) -> pa.Array:
    data = pa.py_buffer(made.astype("<f2"))
    size = HALF_BYTES * made.shape[1]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), len(made), [None, data]).cast(
        pa.binary()
    )


def faiss_seconds(
    name: str, factory: str, corpus: Floats, queries: Floats, given: argparse.Namespace
) -> float:
    """Builds and searches an index in this process, queries in blocks of a thousand."""
    index = faiss.index_factory(corpus.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    building, _ = timed(lambda: (index.train(corpus[: given.sample]), index.add(corpus)))
    if factory != "Flat":
        index.nprobe = given.nprobe

    def search() -> None:
        for start in range(0, len(queries), 1000):
            index.search(queries[start : start + 1000], K)

    searching, _ = timed(search)
    print(f"{name:30} {building + searching:8.1f} s, of it search {searching:.1f}", flush=True)
    return building + searching


def jobs_seconds(spark: SparkSession, folder: Path, given: argparse.Namespace, flat: float) -> None:
    """The exact and the routed job from Parquet to Parquet, and the routed one's recall."""
    corpus, queries = (spark.read.parquet(str(folder / name)) for name in ("corpus", "queries"))
    search = Search(K, 512, given.index, query_block=given.block)
    size = SearchSize(given.vectors, given.queries, EXACT, given.shards, 4 * 2**30, tasks=_cores())
    print(*plan_search(size, search).lines(), sep="\n  ")
    found = find_candidates(queries, corpus, SearchRequest(search, given.shards))
    exact, exact_core = job_seconds(spark, found, folder / "exact")
    print(f"{'exact job':30} {exact:8.1f} s, {exact / flat:.2f} of IndexFlatIP", flush=True)
    size = replace(size, method=ROUTED, cells=given.cells, nprobe=given.nprobe)
    print(*plan_search(size, search).lines(), sep="\n  ")
    sample = sample_by_hash(corpus, given.sample, given.vectors, 0)
    training, rows = timed(lambda: train_quantizer(sample, 512, given.cells, 0, _cores()).collect())
    router = load_router(rows[0].quantizer, given.shards, given.nprobe)
    found = find_candidates(queries, corpus, SearchRequest(search, given.shards, router))
    routed, routed_core = job_seconds(spark, found, folder / "routed")
    print(f"{'routed job':30} {training + routed:8.1f} s, of it training {training:.1f}")
    ratios = [exact / (training + routed), exact / routed, exact_core / routed_core]
    print(
        "exact over routed: whole job {:.1f}, cells at hand {:.1f}, search {:.1f}".format(*ratios)
    )
    frames = [spark.read.parquet(str(folder / name)) for name in ("routed", "exact")]
    print(f"routed recall@{K} {recall_at_k(*frames, K).collect()[0].recall:.3f}")


def job_seconds(spark: SparkSession, candidates: DataFrame, path: Path) -> tuple[float, float]:
    """Seconds of a job that stages its candidates and merges them; core-seconds of its search."""
    staged = str(path.with_suffix(".candidates"))

    def work() -> None:
        candidates.write.parquet(staged)
        merge_candidates(spark.read.parquet(staged), K).write.parquet(str(path))

    seconds, _ = timed(work)
    sums = [F.sum("seconds").alias("seconds"), F.sum("n_compared").alias("n_compared")]
    row = spark.read.parquet(staged).agg(*sums).collect()[0]
    print(f"  {row.n_compared:,} distances in {row.seconds:.1f} core-seconds")
    return seconds, float(row.seconds)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Wall-clock seconds of a call, and what it gave."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
