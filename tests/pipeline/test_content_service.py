"""The same tables from dumps of either service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.pipeline import flow
from crossic_etl.sample.build import load_sample, write_wiki
from crossic_etl.schemas import PAGES, PAIRS, REDIRECTS, RUNS
from crossic_etl.tables import Tables
from tests.support.content_dumps import move_to_content

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

DATE = "20260101"


def test_the_content_service_makes_the_tables_of_the_older_one(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = flow.choose(Config("/t", ("th",)), only=["pages", "links", "pairs"])
    found = []
    for service in ("dumps", "content"):
        dumps = tmp_path / service
        for lang in ("en", "th"):
            write_wiki(load_sample(lang), dumps, DATE, compression="bz2", parts=2, schema="0.11")
            if service == "content":
                assert len(move_to_content(dumps, f"{lang}wiki", DATE)) == 2
        date = DATE if service == "dumps" else "latest"
        config = Config(str(tmp_path / f"{service}.tables"), ("th",), Wikipedia(str(dumps), date))
        with caplog.at_level("INFO"):
            flow.run_flow(spark, config, jobs)
        tables = Tables(spark, config.root)
        keys = {PAGES: "text_hash", PAIRS: "pair_id", REDIRECTS: "target_title"}
        found.append({
            table.name: sorted(row[0] for row in tables.read(table).select(key).collect())
            for table, key in keys.items()
        })  # fmt: skip
        assert tables.read(PAGES).select("dump_date").distinct().collect() == [(DATE,)]
        inputs = tables.read(RUNS).where("job = 'pages'").head()
        assert inputs and json.loads(inputs.inputs)["wikipedia.date"] == DATE
        said = "pages: dumps of the content service of en, th" in caplog.messages
        assert said == (service == "content")
    assert found[0] == found[1]
    assert all(found[0].values())
