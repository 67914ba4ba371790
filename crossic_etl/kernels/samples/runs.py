"""Which of the places to cut at: the fewest runs that fit, and of these the cheapest."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.interleaving import Places
from crossic_etl.kernels.samples.shares import LOPSIDED

# Ours. A run with fewer tokens on a side that has some is a crumb, unless the budget is small; it
# costs half the budget.
CRUMB_TOKENS = 32
_CRUMB_SHARE = 8
# A run with a side more than `LOPSIDED` times the other costs so many budgets, by measuring (python
# -m bench.controls): such a sample is one text with a few words beside it.
_COST_LOPSIDED = 2
# So many places are looked at for each cut: the cheapest.
_MOST_PLACES = 24
_IMPOSSIBLE = 1 << 60

Positions = npt.NDArray[np.int64]


class _Layer(NamedTuple):
    """The places for one cut, and for each the cost of the best cuts up to it and the last one."""

    places: Positions
    costs: Positions
    befores: Positions


def cut_row(places: Places, room: int) -> Positions:
    """The numbers of the places to cut at, both ends included, so that no run is over ``room``.

    There are as few runs as the row allows. The cost is that of the places (`Places`), of a crumb
    on a side, of a side much longer than the other, of stretches without counterpart beside other
    text, and of the padding before the last cut: full segments and a short last one pack into
    windows with less waste than even ones.
    O(n) time: for each cut a bounded number of places is looked at.
    """
    earliest, latest = _bounds(places, room)
    layer = _Layer(*(np.zeros(1, np.int64) for _ in range(3)))
    layers = [layer]
    for first, last in zip(earliest[1:-1], latest[1:-1], strict=True):
        layer = _next_layer(places, layer, _near(places, first, last, layer, room), room)
        layers.append(layer)
    filled = places.filled[layer.places]
    layers[-1] = layer._replace(costs=layer.costs - filled)
    layers.append(_next_layer(places, layers[-1], np.array(latest[-1:]), room))
    return _joined(places, _trace_back(layers), room)


def _bounds(places: Places, room: int) -> tuple[list[int], list[int]]:
    """The earliest and the latest place in the row for each cut, both ends included."""
    numbers = np.flatnonzero(places.in_row).tolist()
    before, after = places.filled[numbers], places.filled[numbers] - places.growth[numbers]
    stops, starts = before.tolist(), np.maximum.accumulate(after).tolist()
    latest, earliest = [0], [len(numbers) - 1]
    while latest[-1] < len(numbers) - 1:
        full = int(after[latest[-1]]) + room
        latest.append(max(bisect_right(stops, full) - 1, latest[-1] + 1))
    for _ in latest[1:]:
        earliest.append(bisect_left(starts, stops[earliest[-1]] - room))
    return [numbers[i] for i in earliest[::-1]], [numbers[i] for i in latest]


def _near(places: Places, first: int, last: int, before: _Layer, room: int) -> Positions:
    """The cheapest places from the row's earliest for a cut to what can be reached; its latest."""
    filled = places.filled
    full = filled[before.places].max() + room
    stop = int(np.searchsorted(filled, full, side="right"))
    near = np.arange(first, stop)
    if len(near) > _MOST_PLACES:
        worth = places.costs[near] + (full - filled[near])
        worth[last - first] = -1
        near = np.sort(near[np.argsort(worth, kind="stable")[:_MOST_PLACES]])
    return near


def _next_layer(places: Places, before: _Layer, near: Positions, room: int) -> _Layer:
    """The best way to each of the places from those of the cut before."""
    start, stop = before.places[:, None], near
    sizes = [side[stop] - side[start] for side in (places.n_english, places.n_target)]
    total, smaller = sizes[0] + sizes[1], np.minimum(*sizes)
    possible = (smaller >= 0) & (total > 0) & (total <= room - places.growth[start])
    crumb = min(CRUMB_TOKENS, room // _CRUMB_SHARE)
    is_crumb = np.where(smaller > 0, smaller, total) < crumb
    is_lopsided = (smaller > 0) & (total - smaller > LOPSIDED * smaller)
    costs = before.costs[:, None] + (room // 2) * is_crumb + _COST_LOPSIDED * room * is_lopsided
    if places.n_unmatched[-1] > 0:
        costs += (places.n_unmatched[stop] - places.n_unmatched[start]) * (smaller > 0)
    costs[~possible] = _IMPOSSIBLE
    befores = np.argmin(costs, axis=0)
    best = costs[befores, np.arange(len(near))]
    found = best < _IMPOSSIBLE
    return _Layer(near[found], best[found] + places.costs[near[found]], befores[found])


def _trace_back(layers: list[_Layer]) -> Positions:
    cuts, at = [], 0
    for layer in reversed(layers):
        cuts.append(int(layer.places[at]))
        at = int(layer.befores[at])
    return np.array(cuts[::-1], np.int64)


def _joined(places: Places, cuts: Positions, room: int) -> Positions:
    """The cuts without those whose two runs fit in one, as they may where one is not the row's."""
    kept = [int(cuts[0])]
    for cut, after in pairwise(cuts[1:].tolist()):
        full = int(places.filled[kept[-1]]) + room - int(places.growth[kept[-1]])
        if int(places.filled[after]) > full:
            kept.append(cut)
    return np.array([*kept, int(cuts[-1])], np.int64)
