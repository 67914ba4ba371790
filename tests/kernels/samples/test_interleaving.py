from __future__ import annotations

import numpy as np

from crossic_etl.kernels.samples.borders import MatchedBorders
from crossic_etl.kernels.samples.interleaving import Places, find_places
from crossic_etl.kernels.samples.pieces import Pieces
from crossic_etl.kernels.text.sentences import PARAGRAPH, SENTENCE


def pieces(*sizes: int, paragraphs: tuple[int, ...] = ()) -> Pieces:
    """Pieces of these tokens, sentences but for the last and those whose numbers are given."""
    ends = np.cumsum(np.array(sizes, np.int64))
    last = len(sizes) - 1
    kinds = [PARAGRAPH if i in (*paragraphs, last) else SENTENCE for i in range(len(sizes))]
    return Pieces(ends, ends * 4, np.array(kinds, np.int64), np.zeros(len(sizes), np.int64))


def by_taken(places: Places) -> dict[tuple[int, int], tuple[int, int]]:
    """In the row or not, and the cost, by the pieces of both sides before the place."""
    taken = zip(places.english.tolist(), places.target.tolist(), strict=True)
    known = zip(places.in_row.tolist(), places.costs.tolist(), strict=True)
    return dict(zip(taken, known, strict=True))


def test_a_row_holds_pieces_by_the_position_of_their_middles() -> None:
    places = find_places(pieces(10, 10), pieces(5, 5, 5, 5), 160, None)
    row = [place for place, (in_row, _) in by_taken(places).items() if in_row]
    assert row == [(0, 0), (0, 1), (1, 1), (1, 2), (1, 3), (2, 3), (2, 4)]
    assert places.filled.tolist() == sorted(places.filled.tolist())


def test_paragraphs_of_both_sides_near_the_row_are_places_too() -> None:
    english = pieces(10, 10, 10, 10, paragraphs=(2,))
    target = pieces(10, 10, 10, 10, paragraphs=(0,))
    found = by_taken(find_places(english, target, 16, None))
    assert found[3, 1][0] == 0
    assert (1, 3) not in found


def test_a_cut_costs_by_what_it_cuts_and_how_far_apart_its_sides_are() -> None:
    borders = MatchedBorders(np.array([0.0, 0.5]), np.array([0.0, 0.5]))
    english, target = pieces(10, 10, 10, 10, paragraphs=(1,)), pieces(10, 10, 10, 10)
    costs = {
        p: cost for p, (_, cost) in by_taken(find_places(english, target, 160, borders)).items()
    }
    assert costs[0, 0] == costs[4, 4] == 0
    assert costs[2, 2] == 10
    assert costs[1, 1] == costs[3, 3] == 20
    assert costs[2, 1] > costs[2, 2] + 20


def test_tokens_of_a_long_stretch_without_counterpart_are_counted() -> None:
    borders = MatchedBorders(np.array([0.75, 1.0]), np.array([0.0, 1.0]))
    english, target = pieces(10, 10, 10, 10), pieces(5, 5)
    places = find_places(english, target, 60, borders)
    counted = dict(zip(places.n_english.tolist(), places.n_unmatched.tolist(), strict=True))
    assert counted == {0: 0, 10: 10, 20: 20, 30: 30, 40: 30}
    assert find_places(english, target, 60, None).n_unmatched.max() == 0
    assert find_places(english, target, 160, borders).n_unmatched.max() == 0


def test_one_text_alone_has_the_places_of_its_pieces() -> None:
    none = Pieces(*np.zeros((4, 0), np.int64))
    assert list(by_taken(find_places(pieces(5, 5), none, 16, None))) == [(0, 0), (1, 0), (2, 0)]
    assert list(by_taken(find_places(none, pieces(5, 5), 16, None))) == [(0, 0), (0, 1), (0, 2)]
