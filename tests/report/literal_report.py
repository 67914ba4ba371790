"""A report in literals: every kind of section, right-to-left text, and a title that attacks."""

from __future__ import annotations

from crossic_etl.report.charts import bars, histograms, stacked_bars
from crossic_etl.report.content import Figure, Grid, ReportData, Section, ShownSample, ShownText

HOSTILE = """</script></style><script>window.hurt=1</script><img src=x onerror="window.hurt=1">"""
ARABIC = "NASA هي وكالة أمريكية.\n\nتأسست عام 1958."


def side(lang: str, title: str, text: str, url: str | None = None, n_cut: int = 0) -> ShownText:
    address = f"https://{lang}.wikipedia.org/wiki/{title}" if url is None else url
    return ShownText(lang, title, address, text, n_cut, 12)


def sample(
    name: str, arrangement: str, english: ShownText | None, target: ShownText | None
) -> ShownSample:
    lang = target.lang if target else "th"
    return ShownSample(
        name, arrangement, lang, "train", "part 1 of 2", 1_234, "CC-BY-SA-4.0", english, target
    )


TEA = side("en", "Tea", "Tea is a drink.\n\nIt is hot.", n_cut=1_500)
SAMPLES = (
    sample("s1", "en-first", TEA, side("ja", "茶", "茶は飲み物である。")),
    sample("s2", "en-first", side("en", "NASA", "NASA is an agency."), side("ar", "ناسا", ARABIC)),
    sample("s3", "target-only", None, side("th", "น้ำชา", "ชาเป็นเครื่องดื่ม")),
    sample("s4", "mix", TEA, None),
    sample(
        HOSTILE, "random", side("en", HOSTILE, HOSTILE, "javascript:window.hurt=1"),
        side("es", "Té", f"Té {HOSTILE}", 'https://es.wikipedia.org/wiki/"onclick="hurt'),
    ),
)  # fmt: skip

SECONDS = [{"job": "pages", "seconds": 12.5}, {"job": "pairs", "seconds": 3.0}]
PAIRS = [{"lang": lang, "kind": kind, "rows": 5} for lang in ("ar", "ja") for kind in ("x", "y")]
BINS = [
    {"lang": lang, "low": float(2**n), "high": float(2 ** (n + 1)), "rows": n}
    for lang in ("ar", "ja")
    for n in range(5, 14)
]


def literal_report() -> ReportData:
    """The report; drawn anew at each call."""
    jobs = Grid(
        "Rows in and out of each job", ("job", "in", "dropped"), ("", ",d", ",d"),
        (("pages", 1_234_567, 7), ("pairs", 84, None)),
    )  # fmt: skip
    rejects = Grid(
        "Rejects", ("table", "reason", "detail"), ("", "", ""),
        (("pages", "too_long", HOSTILE), ("links", "broken", "سطر مكسور")),
    )  # fmt: skip
    seconds = Grid("Seconds", ("job", "seconds"), ("", ",.1f"), (("pages", 12.5), ("pairs", 3.0)))
    pairs, lengths = (
        Grid(caption, ("language", "median"), ("", ",.0f"), (("ar", 900), ("ja", 700)))
        for caption in ("Pairs", "Characters")
    )
    figures = [
        Figure("Pairs", stacked_bars(PAIRS, "lang", "rows", "kind", ["x", "y"], "pairs"), pairs),
        Figure("Characters", histograms(BINS, "lang", "characters", log=True), lengths),
    ]
    sections = (
        Section("flow", "The flow", "Rows in are rows used plus rows dropped.", grids=[jobs]),
        Section("rejects", "Rejects", "What was broken.", grids=[rejects]),
        Section("lengths", "Lengths", "How long the texts are.", figures),
        Section(
            "seconds", "Seconds", "How long it took.",
            [Figure("Seconds of each job", bars(SECONDS, "job", "seconds", "seconds"), seconds)],
        ),
    )  # fmt: skip
    return ReportData("/data/<crossic>", "2026-01-01 12:00 UTC", "1.0", 5, sections, SAMPLES)
