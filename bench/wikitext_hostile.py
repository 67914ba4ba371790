"""Seconds for each MB of hostile wikitext, and how they grow with its size."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

from bench.wikitext_peers import PEERS, Cleaner, ours
from tests.support.hostile_wikitext import (
    AFTER,
    BEFORE,
    CONSTRUCTS,
    SIZES,
    SWALLOWING,
    hostile_page,
)
from tests.support.wikitext_articles import pages_of_dump

GOAL = 1.0
HOPELESS = 5
PEER_SIZE = 100_000


SHORT = 200_000


def seconds_a_mb(clean: Cleaner, wikitext: str) -> float:
    """Clean once; a short page three times, of which the best counts, against stray pauses."""
    times = []
    for _ in range(3 if len(wikitext) < SHORT else 1):
        started = time.process_time()
        clean(wikitext, "en")
        times.append(time.process_time() - started)
    return min(times) / (len(wikitext.encode()) / 1e6)


def growing(clean: Cleaner, name: str) -> list[float]:
    """Seconds for each MB at each size, up to the first that is far above the goal."""
    times: list[float] = []
    for size in SIZES:
        times.append(seconds_a_mb(clean, hostile_page(name, size)))
        if times[-1] > HOPELESS * GOAL:
            break
    return times


def _run(make: Callable[[], Cleaner], wikitext: str) -> None:
    make()(wikitext, "en")


def ends(make: Callable[[], Cleaner], wikitext: str, limit: float) -> bool:
    """Whether a cleaner ends without an error within ``limit`` seconds, in its own process."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(make, wikitext))
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
        return False
    return process.exitcode == 0


def print_ours(shared: Path) -> None:
    """Print seconds for each MB at three sizes, worst first, with the growth between the last."""
    clean = ours()
    clean(hostile_page("apostrophes", 1000), "en")
    rows = []
    for name in {**CONSTRUCTS, **SWALLOWING}:
        times = growing(clean, name)
        text = clean(hostile_page(name, SIZES[0]), "en")
        kept = "both" if BEFORE in text and AFTER in text else "before" if BEFORE in text else "no"
        rows.append((max(times), name, times, kept))
    print(f"\nhostile, seconds for each MB (goal: at most {GOAL})")
    print(f"{'':40}" + "".join(f"{size // 1000:>7} kB" for size in SIZES) + "   growth  text kept")
    for _, name, times, kept in sorted(rows, reverse=True):
        cells = "".join(f"{value:10.3f}" for value in times).ljust(10 * len(SIZES))
        growth = times[-1] / max(times[-2], 1e-9) if len(times) > 1 else float("nan")
        print(f"{name:40}{cells}{growth:9.1f}  {kept}")
    print(f"{sum(worst > GOAL for worst, *_ in rows)} of {len(rows)} constructs above the goal")
    for page in pages_of_dump(shared / "hostile" / "hostile-wikitext.xml.bz2", "en"):
        print(f"shared: {page.title:32}{seconds_a_mb(clean, page.wikitext):10.3f}")


def print_peers(limit: float) -> None:
    """Print which peers do not end on which constructs."""
    print(f"\nnot ended within {limit:g} s on {PEER_SIZE // 1000} kB, or failed")
    for label, make in PEERS.items():
        bad = [name for name in CONSTRUCTS if not ends(make, hostile_page(name, PEER_SIZE), limit)]
        print(f"{label}: {len(bad)} of {len(CONSTRUCTS)}: {', '.join(bad)}")


def print_hostile(shared: Path, peer_limit: float) -> None:
    """Print our table, and the peers' where they are given a number of seconds."""
    print_ours(shared)
    if peer_limit:
        print_peers(peer_limit)
