"""The small inputs with right values of the shared data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossic_etl.kernels.wikitext import to_text

KINDS = (
    "math and code kept",
    "preformatted kept as it is",
    "author's word between holes",
    "parser functions",
    "hidden and verse",
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cases_of_a_kind_have_their_values(shared_data: Path, kind: str) -> None:
    path = shared_data / "cases" / "wikitext.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    cases = [case for case in map(json.loads, lines) if case["kind"] == kind]

    actual = [to_text(case["source"], case["lang"]).text for case in cases]

    assert cases
    assert actual == [case["want"] for case in cases]
