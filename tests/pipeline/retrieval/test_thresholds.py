from __future__ import annotations

import logging

import pytest

from crossic_etl.config.crawl import Encoder, Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.search.calibration import calibrate
from crossic_etl.pipeline.retrieval.thresholds import (
    MOST_GROWTH,
    Thresholds,
    report,
    rows_of,
    warn_of_growth,
)
from crossic_etl.schemas import THRESHOLDS

CHOICE = choose_encoder(Encoder())
# 50 pairs, of which the best wrong one is above all right ones but one.
RIGHT = {"th": [1.2] * 49 + [1.6], "ja": [1.4] * 5}
WRONG = {"th": [1.0] * 48 + [1.1, 1.5], "ja": [1.0] * 5}


def test_nothing_is_said_while_the_corpus_has_not_grown_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = Thresholds({"th": 1.2}, {"th": 1_000})
    for n_documents in (0, 10, 1_000, int(1_000 * MOST_GROWTH)):
        warn_of_growth(held, n_documents)
    warn_of_growth(Thresholds({"th": 1.2}), 10**9)  # configured, or of an older version
    assert caplog.messages == []


def test_a_much_larger_corpus_wants_another_calibration(caplog: pytest.LogCaptureFixture) -> None:
    held = Thresholds({"ar": 1.1, "th": 1.2, "ja": 1.0}, {"ar": 1_000, "ja": 9_000, "th": 1_200})
    warn_of_growth(held, 6_000)
    ((_, level, message),) = caplog.record_tuples
    assert level == logging.WARNING and "\n" not in message
    assert message.startswith("neighbours: thresholds of ar, th were calibrated among 1,000 ")
    assert "6,000 are searched" in message and message.endswith("run calibrate again")


def test_a_row_keeps_share_bound_and_number_of_searched_texts() -> None:
    settings = Neighbours()
    found = calibrate(RIGHT, WRONG, max_false_accept=settings.max_false_accept)
    rows = {
        row["target_lang"]: row
        for values in rows_of(found, settings, CHOICE, 1_234)
        for row in [dict(zip(THRESHOLDS.columns, values, strict=True))]
    }
    thai = rows["th"]
    assert (thai["threshold"], thai["recall"]) == (pytest.approx(1.15), 1.0)
    assert (thai["false_accept"], thai["wanted_false_accept"]) == (0.02, 0.02)
    assert thai["highest_false_accept"] == pytest.approx(0.0914, abs=1e-4)
    assert {row["n_searched"] for row in rows.values()} == {1_234}
    assert (thai["pooled"], rows["ja"]["pooled"]) == (False, True)


def test_the_report_says_recall_share_and_bound() -> None:
    settings = Neighbours()
    found = calibrate(RIGHT, WRONG, max_false_accept=settings.max_false_accept)
    lines = list(report(found, settings))
    assert lines[0] == "calibrate: least margins for false acceptance 0.02"
    assert lines[2].split() == ["language", "threshold", "precision", "recall", "false", "below",
                                "pairs"]  # fmt: skip
    shown = {line.split()[0]: line.split()[1:] for line in lines[3:]}
    assert shown["th"] == ["1.150", "0.980", "1.000", "0.020", "0.091", "50"]
    assert shown["ja"][-6:] == ["too", "few:", "threshold", "of", "all", "languages"]
    of_pages = list(report(found, Neighbours(wrong_pairs="nearest")))
    assert of_pages[0] == "calibrate: least margins for precision 0.95"
    assert of_pages[1] == "calibrate: false: share of nearest wrong pages that are accepted"


def test_a_language_without_a_threshold_has_a_line_of_its_own() -> None:
    right: dict[str, list[float]] = {"th": [1.0] * 50, "ja": []}
    found = calibrate(right, {"th": [1.5] * 50, "ja": []}, max_false_accept=0.02)
    lines = list(report(found, Neighbours()))
    assert lines[-2:] == [
        "calibrate: ja: it has no pairs; its neighbours are accepted where mutual",
        "calibrate: th: no threshold has false acceptance 0.02; its neighbours are accepted where "
        "mutual",
    ]
