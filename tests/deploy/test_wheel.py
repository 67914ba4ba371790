"""What the wheel installs, beside somebody's own packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.test_packages import load_pack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the wheel alone in it."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = load_pack().build_wheel(folder)
    target = folder / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", target, wheel], check=True)
    return target


def test_one_package_is_installed(installed: Path) -> None:
    packages = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert packages == {"bin", "crossic_etl"}
    (names,) = installed.glob("*.dist-info/top_level.txt")
    assert names.read_text().split() == ["crossic_etl"]


@pytest.mark.parametrize("arguments", [["--help"], ["pairs", "--help"], ["run", "--help"]])
def test_the_command_works_where_somebody_has_jobs_of_their_own(
    installed: Path, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").write_text("WHOSE = 'theirs'\n")
    environment = {"PYTHONPATH": f"{tmp_path}:{installed}"}
    commands = (
        [sys.executable, installed / "bin" / "crossic-etl", *arguments],
        [sys.executable, "-m", "crossic_etl", *arguments],
        [sys.executable, "-c", "import crossic_etl, jobs; print(jobs.WHOSE)"],
    )
    shown = [
        subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, text=True, capture_output=True
        ).stdout
        for command in commands
    ]
    assert shown[0] == shown[1] and shown[0].startswith("Usage: crossic-etl")
    assert shown[2] == "theirs\n"
