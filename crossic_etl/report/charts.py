"""Charts as SVG without script; their colours are variables of the page, light or dark."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from crossic_etl.report.content import Cell

ChartRow = Mapping[str, Cell]

# The page's variables of colours: one chart shows at most so many kinds.
COLOURS = tuple(f"var(--series-{n})" for n in range(1, 7))
INK, LINE = "currentColor", "var(--line)"
# Pixels: a chart with its labels fits on a phone's screen.
WIDTH, ROW_HEIGHT, PANEL_HEIGHT = 250, 22, 44
# Width of a label at the left, in pixels; longer ones are cut.
LABEL_WIDTH = 88
# Pixels between a panel's name and its axis, with room for wider fonts.
HEADER_GAP = 26
PADDING = {"left": 14, "top": 4, "right": 12, "bottom": 4}
_HEADER: dict[str, Any] = {
    "labelAngle": 0, "labelAlign": "left", "labelLimit": LABEL_WIDTH, "labelPadding": HEADER_GAP,
}  # fmt: skip


def bars(rows: Sequence[ChartRow], name: str, value: str, title: str, form: str = "~s") -> str:
    """A horizontal bar for each row, in the order of the rows."""
    chart = (
        _chart(rows)
        .mark_bar(color=COLOURS[0])
        .encode(
            y=alt.Y(f"{name}:N").sort(None).title(None).axis(labelLimit=LABEL_WIDTH),
            x=alt.X(f"{value}:Q").title(title).axis(format=form, tickCount=5),
        )
    )
    return _svg(chart.properties(width=WIDTH, height=alt.Step(ROW_HEIGHT)))


def stacked_bars(
    rows: Sequence[ChartRow], name: str, value: str, kind: str, kinds: Sequence[str], title: str
) -> str:
    """A horizontal bar for each name, stacked of one piece for each kind."""
    order = [{**row, "order": kinds.index(str(row[kind]))} for row in rows]
    chart = (
        _chart(order)
        .mark_bar()
        .encode(
            y=alt.Y(f"{name}:N").title(None).axis(labelLimit=LABEL_WIDTH),
            x=alt.X(f"{value}:Q").title(title).axis(format="~s", tickCount=5),
            color=_colour(kind, kinds),
            order=alt.Order("order:Q"),
        )
    )
    return _svg(chart.properties(width=WIDTH, height=alt.Step(ROW_HEIGHT)))


def with_ends(
    counted: Sequence[Mapping[str, Any]], step: float, *, log: bool = False
) -> list[dict[str, Any]]:
    """Rows of bins with ``low`` and ``high``, as `histograms` takes them.

    Bin n begins at ``n * step``, with ``log`` at ``2 ** (n * step)``.
    """

    def end(number: int) -> float:
        return float(round(2 ** (number * step) if log else number * step, 6))

    return [{**row, "low": end(row["bin"]), "high": end(row["bin"] + 1)} for row in counted]


def histograms(
    rows: Sequence[ChartRow],
    panel: str,
    title: str,
    *,
    log: bool = False,
    kind: str = "",
    form: str = "~s",
) -> str:
    """A histogram for each panel, one below the other, with a shared x axis.

    Rows have ``low`` and ``high``, the ends of a bin, and ``rows``, its count. With a ``kind`` the
    bars of a bin's kinds are stacked.
    """
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=False)
    kinds = sorted({str(row[kind]) for row in rows}) if kind else []
    encoding: dict[str, Any] = {
        "x": alt.X("low:Q")
        .scale(scale)
        .title(title)
        .axis(format=form, tickCount=5, grid=not log, labelOverlap=True),
        "x2": alt.X2("high:Q"),
        "y": alt.Y("sum(rows):Q").title(None).axis(tickCount=2, format="~s"),
        "row": alt.Row(f"{panel}:N").title(None).header(**_HEADER),
    }
    if kind:
        encoding |= {"color": _colour(kind, kinds), "y": encoding["y"].stack("zero")}
    marks = _chart(rows).mark_bar(color=COLOURS[0])
    chart = marks.encode(**encoding).properties(width=WIDTH, height=PANEL_HEIGHT)
    return _svg(chart.resolve_scale(y="independent"))


def curves(
    rows: Sequence[ChartRow],
    panel: str,
    kind: str,
    x: str,
    y: str,
    marks: Mapping[str, float],
    form: str = "~f",
) -> str:
    """A panel for each name with a line for each kind, with a shared x axis.

    ``y`` is a share, from 0 to 1. ``marks`` has the x position of a panel's dashed line, if any.
    """
    kinds = sorted({str(row[kind]) for row in rows})
    marked: list[ChartRow] = [{panel: name, "mark": at} for name, at in marks.items()]
    lines = (
        _chart([])
        .mark_line()
        .encode(
            x=alt.X(f"{x}:Q").scale(zero=False, nice=False).title(x).axis(format=form, tickCount=5),
            y=alt.Y(f"{y}:Q").scale(domain=[0, 1]).title(None).axis(tickCount=2, format="~%"),
            color=_colour(kind, kinds),
        )
    )
    rule = _chart([]).mark_rule(strokeDash=[4, 4], color=INK).encode(x="mark:Q")
    layers = [
        layer.properties(width=WIDTH, height=PANEL_HEIGHT, data=alt.Undefined)
        for layer in (lines, rule)
    ]
    row = alt.Row(f"{panel}:N").title(None).header(**_HEADER)
    return _svg(alt.layer(*layers, data=_values([*rows, *marked])).facet(row=row))


def _values(rows: Sequence[ChartRow]) -> Any:
    return {"values": [dict(row) for row in rows]}


def _chart(rows: Sequence[ChartRow]) -> Any:
    return alt.Chart(_values(rows))


def _colour(kind: str, kinds: Sequence[str]) -> Any:
    scale = alt.Scale(domain=list(kinds), range=list(COLOURS[: len(kinds)]))
    columns = 2 if len(kinds) <= 2 else 1
    legend = alt.Legend(orient="top", columns=columns, title=None, labelLimit=WIDTH)
    return alt.Color(f"{kind}:N").scale(scale).legend(legend)


def _svg(chart: Any) -> str:
    """The chart as SVG, hidden from screen readers: they read the table of its numbers."""
    quiet = {"gridColor": LINE, "domainColor": LINE, "tickColor": LINE}
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    drawn = chart.configure(
        background="transparent", padding=PADDING, font="system-ui, sans-serif",
        axis={**quiet, **text, "titleFontWeight": "normal"},
        legend=text, view={"stroke": None}, facet={"spacing": 8},
        header={"labelFontSize": 12, "labelColor": INK},
    )  # fmt: skip
    svg: str = vl_convert.vegalite_to_svg(drawn.to_dict())
    bare = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", svg)
    return _own_ids(bare).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _own_ids(svg: str) -> str:
    """The same SVG with ids that no other SVG of the page has."""
    mark = format(zlib.crc32(svg.encode()), "08x")
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>c{mark}-", svg)
