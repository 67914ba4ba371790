"""Fixtures: one Spark session for all tests, and the shared real dumps where they are present."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from crossic_etl.config import Config
    from crossic_etl.tables import Tables

# No test fails for the time that it takes: the machine may be busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Mark to the fixtures that bring it.
MARKED = {"spark": {"spark", "shared_tables"}, "slow": {"minilm", "qwen_json", "embedded"}}
SHARED_DATA = "CROSSIC_SHARED_DATA"
# Fixtures that are a whole run of the pipeline, each for several modules.
SHARED_RUNS = ("shared_tables", "mirror_run")
LANGUAGES = ("ar", "es", "ja", "ko", "pt", "th")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real dumps and damaged inputs, kept outside the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get(SHARED_DATA, beside))
    if not (folder / "EXPECTED.json").exists():
        pytest.skip(f"no shared data in {folder} (set {SHARED_DATA})")
    return folder


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that all tests share: it takes seconds to start."""
    from crossic_etl.session import get_session

    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("spark"))
    session = get_session("tests", brief=True)
    yield session
    session.stop()


@pytest.fixture
def frame(spark: SparkSession) -> Callable[[str, list[tuple[Any, ...]]], DataFrame]:
    """``frame("lang string, page_id long", [("en", 1)])``: a literal DataFrame."""

    def make(schema: str, rows: list[tuple[Any, ...]]) -> DataFrame:
        return spark.createDataFrame(rows, schema)

    return make


@pytest.fixture(scope="session")
def shared_config(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A run over the real dumps, in every arrangement that needs no crawl."""
    from crossic_etl.config import Config
    from crossic_etl.config.etl import ARRANGEMENTS, Wikipedia

    wikipedia = Wikipedia(dumps=str(shared_data / "wiki"), date="20220720")
    root = str(tmp_path_factory.mktemp("tables"))
    of_pairs = tuple(name for name in ARRANGEMENTS if name != "retrieved")
    return Config(
        root, LANGUAGES, wikipedia, arrangements=of_pairs, validation_share=0.15, shards=2
    )


@pytest.fixture(scope="session")
def shared_tables(spark: SparkSession, shared_config: Config) -> Tables:
    """The tables of that run."""
    from crossic_etl.pipeline.flow import jobs_of
    from crossic_etl.tables import Tables

    for job in jobs_of(shared_config):
        job.run(spark, shared_config)
    return Tables(spark, shared_config.root)


@pytest.fixture(scope="session")
def mirror_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run over a small mirror."""
    from tests.support.tiny_dumps import write_config

    return write_config(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(scope="session")
def mirror_run(spark: SparkSession, mirror_config: Path) -> Callable[..., int]:
    """The pipeline's command line over the small mirror, after its first run."""
    from tests.support.commands import run as main

    def command(*arguments: str) -> int:
        return main(["--config", str(mirror_config), *arguments])

    assert command() == 0
    return command


@pytest.fixture(scope="session")
def mirror_tables(spark: SparkSession, mirror_config: Path) -> Tables:
    """Where that run puts its tables."""
    from crossic_etl.tables import Tables

    return Tables(spark, str(mirror_config.parent / "tables"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks tests that take their time, so that ``make check`` can leave them out, and sorts them.

    The longest come first: of two processes (xdist) none is left alone with them at the end.
    """
    for item in items:
        for mark, fixtures in MARKED.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(mark)
        run = shared_run_of(item)
        if run and config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(run))
    order = [*SHARED_RUNS, "spark"]

    def place(item: pytest.Item) -> int:
        kind = shared_run_of(item) or ("spark" if item.get_closest_marker("spark") else "")
        return order.index(kind) if kind in order else len(order)

    items.sort(key=place)


def shared_run_of(item: pytest.Item) -> str:
    """The run of the pipeline that a test's module shares with others, by its mark; else empty.

    Raises:
        UsageError: a test has the fixture of such a run, and its module no mark.
    """
    if mark := item.get_closest_marker("shared_run"):
        return str(mark.args[0])
    if taken := set(SHARED_RUNS) & set(getattr(item, "fixturenames", ())):
        raise pytest.UsageError(
            f"{item.nodeid}: its module takes {', '.join(taken)}, so it says with which others it "
            f'shares the run: pytestmark = pytest.mark.shared_run("{min(taken)}")'
        )
    return ""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Modules that share a run of the pipeline go to one process, and each other one to one.

    With ``--dist loadgroup`` xdist adds the group of a test to its id.
    """
    from xdist.scheduler import LoadGroupScheduling

    class ByRun(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return str(super()._split_scope(nodeid)).partition("::")[0]

    return ByRun(config, log)
