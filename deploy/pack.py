"""Pack what Spark's workers need: this package, and their Python environment.

    python deploy/pack.py [--extras encoders,hf] build/deploy
    python deploy/pack.py --wheel build/databricks

``crossic_etl.zip`` is a wheel of the package under a name that Spark puts on the path,
``environment.tar.gz`` a virtual environment of the Python that runs this, and ``requirements.txt``
its versions. It is made again only where these would differ. With ``--wheel`` the wheel alone is
made, by its own name. None of them has or requires Spark, which is where they go.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from configparser import ConfigParser
from importlib.metadata import distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, WHEEL = "crossic-etl", "crossic_etl"
SPARK = ("pyspark", "delta-spark")


def main(argv: Sequence[str] | None = None) -> None:
    """Writes these files into a folder."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--extras", default="", help="of setup.cfg, with commas between them")
    arguments.add_argument("--wheel", action="store_true", help="the wheel alone")
    given = arguments.parse_args(argv)
    folder: Path = given.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if given.wheel:
        build_wheel(folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch))
        # Spark takes no .whl for the path of Python.
        (folder / "crossic_etl.zip").write_bytes(wheel.read_bytes())
    names = required(folder / "crossic_etl.zip", [*filter(None, given.extras.split(","))])
    pack_environment(folder / "environment.tar.gz", names)


def build_wheel(folder: Path) -> Path:
    """A wheel of the package, in place of an older one, that doesn't require Spark."""
    for older in folder.glob(f"{WHEEL}-*.whl"):
        older.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch)  # in place, a build takes up what an older one left
        shutil.copytree(ROOT / "crossic_etl", source / "crossic_etl")
        for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        setup = ConfigParser()
        setup.read(source / "setup.cfg")
        lines = setup["options"]["install_requires"].strip().splitlines()
        kept = [line for line in lines if not line.startswith(SPARK)]
        setup["options"]["install_requires"] = "\n" + "\n".join(kept)
        with (source / "setup.cfg").open("w") as file:
            setup.write(file)
        pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob(f"{WHEEL}-*.whl")
    return wheel


def required(wheel: Path, extras: Sequence[str]) -> list[str]:
    """Requirements of the package and of ``pyspark[sql]``, without Spark's own packages."""
    (package,) = distributions(name=PACKAGE, path=[str(wheel)])
    wanted = [(package.requires, extra) for extra in ("", *extras)]
    wanted.append((requires("pyspark"), "sql"))
    return sorted(
        {
            str(requirement).partition(";")[0]
            for requirements, extra in wanted
            for requirement in map(Requirement, requirements or ())
            if canonicalize_name(requirement.name) not in SPARK
            and (requirement.marker is None or requirement.marker.evaluate({"extra": extra}))
        }
    )


def pack_environment(path: Path, names: Sequence[str]) -> None:
    """A virtual environment with the versions of this one: closures travel between the two."""
    pins = sorted(
        f"{item.name}=={item.version}"
        for item in distributions()
        if canonicalize_name(item.name) not in (PACKAGE, *SPARK)
    )
    digest = hashlib.sha256("\n".join([sys.version, *names, *pins]).encode()).hexdigest()
    made = path.with_name("environment.sha256")
    if path.exists() and made.exists() and made.read_text() == digest:
        return
    with tempfile.TemporaryDirectory() as scratch:
        place, constraints = Path(scratch) / "environment", Path(scratch) / "constraints.txt"
        constraints.write_text("\n".join(pins))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
        python = str(place / "bin" / "python")
        pip("--python", python, "install", "--constraint", str(constraints), *names)
        frozen = pip("--python", python, "freeze")
        path.with_name("requirements.txt").write_text(frozen)
        unfinished = path.with_name("unfinished.tar.gz")
        with tarfile.open(unfinished, "w:gz", compresslevel=1) as archive:
            archive.add(place, ".")
    unfinished.rename(path)
    made.write_text(digest)


def pip(*arguments: str) -> str:
    """Runs this environment's pip, silent but for errors; what it printed."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
