from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import pytest

from crossic_etl.config import Config
from crossic_etl.pipeline import pages, windows
from crossic_etl.pipeline.flow import JOBS, names
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import inputs_of, settings_fingerprint, settings_of

CONFIG = Config("/t", ("th",))
# What decides no row: where tables are, how files came, how much memory there is, and upkeep.
FREE = {"root", "download", "maintain"}


def named(keys: tuple[str, ...]) -> set[str]:
    """The keys at the top that these name, in whole or by all of their own."""
    whole = {key for key in keys if "." not in key}
    for top in {key.partition(".")[0] for key in keys} - whole:
        fields = {field.name for field in dataclasses.fields(getattr(CONFIG, top))}
        if fields <= {key.partition(".")[2] for key in keys if key.startswith(f"{top}.")}:
            whole.add(top)
    return whole


def test_every_key_of_the_configuration_is_a_setting_or_an_input_of_some_job() -> None:
    keys = {key for job in JOBS for key in (*job.settings, *job.inputs)}
    assert {field.name for field in dataclasses.fields(Config)} - named(tuple(keys)) == FREE


@pytest.mark.parametrize(("service", "is_recorded"), [("auto", False), ("content", True)])
def test_inputs_of_runs_from_before_a_key_are_those_with_its_default(
    service: str, is_recorded: bool
) -> None:
    wikipedia = dataclasses.replace(CONFIG.wikipedia, service=service)
    config = dataclasses.replace(CONFIG, wikipedia=wikipedia)
    assert ("wikipedia.service" in inputs_of(config, pages.JOB)) == is_recorded
    assert (config.digest() != CONFIG.digest()) == is_recorded


@pytest.mark.parametrize("job", JOBS, ids=names())
def test_a_job_is_its_module_and_writes_its_table(job: Job) -> None:
    module = importlib.import_module(f"crossic_etl.pipeline.{job.name}")
    assert module.JOB is job and module.run is job.run
    assert job.writes and not set(job.settings) & set(job.inputs)
    assert set(job.reads(CONFIG)).isdisjoint(job.writes)


@pytest.mark.parametrize(
    ("change", "differs"),
    [({"seed": 1}, True), ({"shards": 3}, True), ({"languages": ("ja",)}, False), ({}, False)],
)
def test_settings_are_those_that_a_job_names(change: dict[str, Any], differs: bool) -> None:
    other = dataclasses.replace(CONFIG, **change)
    keys = windows.JOB.settings
    assert (settings_of(other, keys) != settings_of(CONFIG, keys)) == differs
    assert (settings_fingerprint(other, keys) != settings_fingerprint(CONFIG, keys)) == differs


def test_inputs_are_keys_and_files() -> None:
    spec = Job("pages", run=len, inputs=("languages", "wikipedia.date"))
    assert inputs_of(CONFIG, spec, "a") != inputs_of(CONFIG, spec, "b")
    later = dataclasses.replace(CONFIG, languages=("th", "ja"))
    assert inputs_of(CONFIG, spec) != inputs_of(later, spec)
