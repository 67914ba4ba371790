"""The names of crawl formats and of presets for their fields, as `records` reads them. Light."""

from __future__ import annotations

from collections.abc import Mapping

FORMATS = ("parquet", "jsonl", "wet")

FIELDS: Mapping[str, Mapping[str, str]] = {
    "fineweb": {
        "text": "text", "url": "url", "source_id": "id", "date": "date", "lang": "language",
        "lang_score": "language_score", "dump": "dump", "file": "file_path",
    },
    "dolma": {
        "text": "text", "url": "metadata.url|id", "source_id": "id", "date": "created",
        "lang": "metadata.language", "lang_score": "metadata.language_score", "dump": "source",
        "file": "metadata.cc_segment",
    },
    "c4": {"text": "text", "url": "url", "source_id": "url", "date": "timestamp"},
}  # fmt: skip
"""Where published data sets have our fields: paths of keys, ``|`` before the next best."""

PRESETS = tuple(FIELDS)
