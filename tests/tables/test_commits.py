from __future__ import annotations

import pytest

from crossic_etl.tables.commits import read_fingerprints, write_fingerprints


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ('{"settings_fingerprints": {"th": "a"}}', {"th": "a"}),
        ('{"made_with": {"th": "a", "en": "b"}}', {"th": "a", "en": "b"}),  # of an older version
        ('{"settings_fingerprints": {}}', {}),
        ('{"other": 1}', {}),
        ('["made_with"]', {}),
        ('{"made_with": null}', {}),
        ("somebody else's", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_fingerprints_are_read_from_what_a_transaction_says(
    metadata: str | None, expected: dict[str, str]
) -> None:
    assert read_fingerprints(metadata) == expected


def test_fingerprints_are_written_as_they_are_read() -> None:
    parts = {"th": "a", "mix qwen2.5 8 padded": "b"}
    assert read_fingerprints(write_fingerprints(parts)) == parts
