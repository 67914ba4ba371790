"""Thresholds of the margin: rows of a calibration, and the thresholds that a search uses."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Row

from crossic_etl.config.crawl import SEARCHED, Neighbours
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.calibration import ALL_LANGUAGES, Calibration, Point
from crossic_etl.schemas import THRESHOLDS
from crossic_etl.tables import Scope, TableError, Tables

log = logging.getLogger(__name__)

ThresholdRow = tuple[object, ...]

# Measured by bench.thresholds, for a wanted 2 %: in a corpus four times as large a threshold takes
# wrong documents for 1.1 to 2.2 % of the queries, and up to 6 of 100 right ones fewer.
MOST_GROWTH = 4.0


@dataclass(frozen=True)
class Thresholds:
    """The thresholds that a search uses.

    Attributes:
        least: least margin by language, ``"*"`` for all others.
        n_searched: for languages with a calibrated threshold, the number of English texts that it
            was found among, where that is known.
    """

    least: Mapping[str, float]
    n_searched: Mapping[str, int] = field(default_factory=dict)


def thresholds_of(
    tables: Tables, settings: Neighbours, languages: Sequence[str], choice: EncoderChoice
) -> Thresholds:
    """Thresholds from the configuration or from a calibration.

    A configured threshold, ``"*"`` too, overrides a calibrated one. A language has no threshold if
    none has what is wanted.

    Raises:
        TableError: a calibrated threshold is needed, and this configuration has no calibration.
    """
    missing = uncovered_languages(settings, languages)
    if not missing:
        return Thresholds(settings.thresholds)
    rows = tables.select(THRESHOLDS, scope_of(settings, languages, choice))
    held = {row.target_lang: row for row in rows.drop("points").collect() if _fits(row, settings)}
    if absent := sorted(missing - held.keys()):
        raise TableError(
            f"thresholds has none of this encoder, k and {_wanted(settings)} for "
            f"{', '.join(absent)}: run calibrate first"
        )
    calibrated = {lang: held[lang] for lang in missing if held[lang].threshold is not None}
    return Thresholds(
        {**{lang: row.threshold for lang, row in calibrated.items()}, **settings.thresholds},
        {lang: row.n_searched for lang, row in calibrated.items() if row.n_searched},
    )


def _fits(row: Row, settings: Neighbours) -> bool:
    """Whether a row of ``thresholds`` was found by what is wanted now."""
    found_by = row.wanted_precision, row.wanted_false_accept
    return found_by == (settings.precision, settings.max_false_accept)


def warn_of_growth(thresholds: Thresholds, n_documents: int) -> None:
    """Logs a line if thresholds were found among much fewer documents than are searched.

    A query's neighbourhood is denser in a larger corpus, so margins are lower, of right documents
    too.
    """
    few = {lang: n for lang, n in thresholds.n_searched.items() if n_documents > MOST_GROWTH * n}
    if few:
        log.warning(
            "neighbours: thresholds of %s were calibrated among %s English texts, and %s are "
            "searched, more than %g times as many: they may refuse right documents; run "
            "calibrate again",
            ", ".join(sorted(few)),
            f"{min(few.values()):,}",
            f"{n_documents:,}",
            MOST_GROWTH,
        )


def uncovered_languages(settings: Neighbours, languages: Sequence[str]) -> set[str]:
    """The languages whose threshold must come from a calibration."""
    if not settings.calibrate or ALL_LANGUAGES in settings.thresholds:
        return set()
    return set(languages) - settings.thresholds.keys()


def scope_of(settings: Neighbours, languages: Sequence[str], choice: EncoderChoice) -> Scope:
    """The scope of ``thresholds`` that a calibration with these settings replaces."""
    return {
        "target_lang": [*languages, ALL_LANGUAGES],
        **choice.scope,
        "k": [settings.k],
        "wrong_pairs": [settings.wrong_pairs],
    }


def scores_by_language(
    scores: DataFrame, languages: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Margins of right and of wrong pairs by language, with empty lists for languages without.

    The driver receives some thousand numbers for each language, as many as it has known pairs.
    """
    right: dict[str, list[float]] = {lang: [] for lang in languages}
    wrong: dict[str, list[float]] = {lang: [] for lang in languages}
    columns = scores.where("margin IS NOT NULL").select("target_lang", "is_right", "margin")
    for row in columns.collect():
        (right if row.is_right else wrong)[row.target_lang].append(row.margin)
    return right, wrong


def rows_of(
    found: Mapping[str, Calibration],
    settings: Neighbours,
    choice: EncoderChoice,
    n_searched: int,
) -> Iterator[ThresholdRow]:
    """The rows of ``thresholds`` for the results of a calibration among ``n_searched`` texts."""
    for lang, one in found.items():
        values = {
            "target_lang": lang,
            "model": choice.model,
            "revision": choice.revision,
            "span_rule": choice.rule.name,
            "k": settings.k,
            "wrong_pairs": settings.wrong_pairs,
            "wanted_precision": settings.precision,
            **_values(one.point),
            "n_right": one.n_right,
            "n_wrong": one.n_wrong,
            "pooled": one.pooled,
            "points": [_values(point) for point in one.table],
            "wanted_false_accept": settings.max_false_accept,
            "false_accept": one.point and one.point.false_accept,
            "highest_false_accept": one.highest_false_accept,
            "n_searched": n_searched,
        }
        yield tuple(values[name] for name in THRESHOLDS.columns)


def _values(point: Point | None) -> dict[str, float | None]:
    names = ("threshold", "precision", "recall", "f1")
    return {name: getattr(point, name, None) for name in names}


def report(found: Mapping[str, Calibration], settings: Neighbours) -> Iterator[str]:
    """The thresholds as lines, then a line for each language without one."""
    wanted = _wanted(settings)
    yield f"calibrate: least margins for {wanted}"
    if settings.wrong_pairs == SEARCHED:
        yield (
            "calibrate: false: share of pages that would accept something if their English page "
            "weren't there, and the bound below which it is with 95 % confidence"
        )
    else:
        yield f"calibrate: false: share of {settings.wrong_pairs} wrong pages that are accepted"
    yield "  language  threshold  precision  recall  false  below  pairs"
    for lang, one in found.items():
        yield f"  {lang:<8}" + _cells(one) + f"  {one.n_right:>5,}" + _note(one)
    for lang, one in found.items():
        if one.point is None and lang != ALL_LANGUAGES:
            reason = f"no threshold has {wanted}" if one.n_right else "it has no pairs"
            yield f"calibrate: {lang}: {reason}; its neighbours are accepted where mutual"


def _wanted(settings: Neighbours) -> str:
    """What a threshold must have, for messages."""
    if settings.max_false_accept is not None:
        return f"false acceptance {settings.max_false_accept:g}"
    return "best F1" if settings.precision is None else f"precision {settings.precision:g}"


def _cells(one: Calibration) -> str:
    point, bound = one.point, one.highest_false_accept
    if point is None:
        return f"{'none':>11}{'':>11}{'':>8}{'':>7}{'':>7}"
    below = "" if bound is None else f"{bound:.3f}"
    return (
        f"{point.threshold:>11.3f}{point.precision:>11.3f}{point.recall:>8.3f}"
        f"{point.false_accept:>7.3f}{below:>7}"
    )


def _note(one: Calibration) -> str:
    return "  too few: threshold of all languages" if one.pooled else ""
