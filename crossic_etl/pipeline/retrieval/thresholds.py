"""Thresholds of the margin: the rows of a calibration, and the thresholds that a search takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import DataFrame

from crossic_etl.config.crawl import Neighbours
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.kernels.search.calibration import ALL_LANGUAGES, Calibration, Point
from crossic_etl.schemas import THRESHOLDS
from crossic_etl.tables import Scope, TableError, Tables

ThresholdRow = tuple[object, ...]


def thresholds_of(
    tables: Tables, settings: Neighbours, languages: Sequence[str], choice: EncoderChoice
) -> Mapping[str, float]:
    """Language to least margin: configured ones, and calibrated ones where asked for.

    A configured threshold, ``"*"`` too, wins over a calibrated one. A language where no threshold
    has the wanted precision has none.

    Raises:
        TableError: calibrated ones are asked for, and a language has none of this configuration.
    """
    missing = uncovered_languages(settings, languages)
    if not missing:
        return settings.thresholds
    rows = tables.select(THRESHOLDS, scope_of(settings, languages, choice)).select(
        "target_lang", "wanted_precision", "threshold"
    )
    held = {
        row.target_lang: row.threshold
        for row in rows.collect()
        if row.wanted_precision == settings.precision
    }
    if absent := sorted(missing - held.keys()):
        raise TableError(
            f"thresholds has none of this encoder, k and precision for {', '.join(absent)}: "
            "run calibrate first"
        )
    calibrated = {lang: held[lang] for lang in missing if held[lang] is not None}
    return {**calibrated, **settings.thresholds}


def uncovered_languages(settings: Neighbours, languages: Sequence[str]) -> set[str]:
    """The languages whose threshold must come from a calibration."""
    if not settings.calibrate or ALL_LANGUAGES in settings.thresholds:
        return set()
    return set(languages) - settings.thresholds.keys()


def scope_of(settings: Neighbours, languages: Sequence[str], choice: EncoderChoice) -> Scope:
    """The rows of ``thresholds`` that a calibration with these settings replaces."""
    return {
        "target_lang": [*languages, ALL_LANGUAGES],
        **choice.scope,
        "k": [settings.k],
        "wrong_pairs": [settings.wrong_pairs],
    }


def scores_by_language(
    scores: DataFrame, languages: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Margins of right and of wrong pairs, of each language, those without pairs too.

    Some thousand numbers for each language come to the driver, as many as it has known pairs.
    """
    right: dict[str, list[float]] = {lang: [] for lang in languages}
    wrong: dict[str, list[float]] = {lang: [] for lang in languages}
    columns = scores.where("margin IS NOT NULL").select("target_lang", "is_right", "margin")
    for row in columns.collect():
        (right if row.is_right else wrong)[row.target_lang].append(row.margin)
    return right, wrong


def rows_of(
    found: Mapping[str, Calibration], settings: Neighbours, choice: EncoderChoice
) -> Iterator[ThresholdRow]:
    """The rows of ``thresholds`` of what a calibration found."""
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
        }
        yield tuple(values[name] for name in THRESHOLDS.columns)


def _values(point: Point | None) -> dict[str, float | None]:
    names = ("threshold", "precision", "recall", "f1")
    return {name: getattr(point, name, None) for name in names}


def report(found: Mapping[str, Calibration], precision: float | None) -> Iterator[str]:
    """The thresholds as lines, then a line for each language that has none."""
    wanted = "best F1" if precision is None else f"precision {precision:g}"
    yield f"calibrate: least margins for {wanted}"
    yield "  language  threshold  precision  recall  pairs"
    for lang, one in found.items():
        yield f"  {lang:<8}" + _cells(one.point) + f"  {one.n_right:>5,}" + _note(one)
    for lang, one in found.items():
        if one.point is None and lang != ALL_LANGUAGES:
            reason = f"no threshold has {wanted}" if one.n_right else "it has no pairs"
            yield f"calibrate: {lang}: {reason}; its neighbours are accepted where mutual"


def _cells(point: Point | None) -> str:
    if point is None:
        return f"{'none':>11}{'':>11}{'':>8}"
    return f"{point.threshold:>11.3f}{point.precision:>11.3f}{point.recall:>8.3f}"


def _note(one: Calibration) -> str:
    return "  too few: threshold of all languages" if one.pooled else ""
