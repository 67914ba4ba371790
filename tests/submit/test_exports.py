from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossic_etl.config.training import TrainingConfig, load_training_config
from crossic_etl.export.manifest import ManifestError
from crossic_etl.submit import exports
from crossic_etl.submit.exports import read_exports, verify
from crossic_etl.submit.job import SubmitError
from tests.submit.inputs import write_export

THERE = "/mnt/there"


def damage(folder: str | Path, split: str = "train") -> None:
    """Changes a file of an export, but not its size."""
    (Path(folder) / split / "00000.parquet").write_bytes(b"wind0ws")


@pytest.fixture
def given(config_file: Callable[..., str]) -> Callable[..., TrainingConfig]:
    """``given(exports=[...])``: the configuration with some keys changed."""
    return lambda **changed: load_training_config(config_file(**changed))


def verified(config: TrainingConfig, *copies: str) -> list[str]:
    """What is said while the files that are here are read."""
    lines: list[str] = []
    verify(config, read_exports(config, copies), copies, lines.append)
    return lines


def test_a_whole_export_is_no_news(given: Callable[..., TrainingConfig]) -> None:
    assert verified(given()) == []


def test_a_damaged_file_is_named(given: Callable[..., TrainingConfig]) -> None:
    config = given()
    damage(config.exports[0])
    with pytest.raises(ManifestError, match=r"train/00000.parquet: .* the file is damaged"):
        verified(config)


def test_a_copy_of_the_whole_export_is_read_in_its_place(
    given: Callable[..., TrainingConfig], tmp_path: Path
) -> None:
    config = given(exports=[THERE])
    assert verified(config, str(tmp_path / "export")) == []
    damage(tmp_path / "export")
    with pytest.raises(ManifestError, match=r"/export/train/00000\.parquet: "):
        verified(config, str(tmp_path / "export"))


def test_beside_a_copy_of_the_manifest_nothing_is_looked_for(
    given: Callable[..., TrainingConfig], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "export" / "train")
    (line,) = verified(given(exports=[THERE]), str(tmp_path / "export"))
    assert line.startswith(f"not checked: the files of {THERE}, ")


def test_of_an_export_to_validate_with_the_training_files_are_not_read(
    given: Callable[..., TrainingConfig], tmp_path: Path
) -> None:
    other = write_export(tmp_path / "other")
    damage(other)
    assert verified(given(validation={"exports": {"other": other}})) == []


def test_a_long_wait_is_explained(
    given: Callable[..., TrainingConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MANY_BYTES", 1)
    (line,) = verified(given())
    assert line.startswith("comparing the checksums of 0 GB") and "--skip-checksums" in line


def test_a_file_that_cannot_be_read_is_named(
    given: Callable[..., TrainingConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise PermissionError(13, "Permission denied", "a.parquet")

    monkeypatch.setattr(exports, "check_files", refuse)
    config = given()
    manifests = {config.exports[0]: exports.read_manifest(config.exports[0])}
    with pytest.raises(SubmitError, match=r"^a.parquet: can't be read \(Permission denied\)$"):
        verify(config, manifests, (), print)
