"""Delta's two JARs: those that are on this machine, or else fetched once from Maven Central.

Delta names thirty more that it is built with. Spark has those that are used.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from crossic_etl.atomic_files import write_bytes
from crossic_etl.config.errors import UnfitSettingError

log = logging.getLogger(__name__)

GROUP, VERSION = "io.delta", "4.4.0"
CENTRAL = "https://repo1.maven.org/maven2/"
# Spark's own name for the URL of a mirror of Maven Central.
MIRROR = "DEFAULT_ARTIFACT_REPOSITORY"
JARS_FOLDER = "CROSSIC_ETL_JARS"
TIMEOUT = 20.0  # seconds without an answer
# Where Spark's own resolver is told of other repositories, which have settings of many kinds.
RESOLVER = ("--repositories", "spark.jars.repositories", "spark.jars.ivySettings")


@dataclass(frozen=True)
class Jar:
    """One file of this release in Maven Central: its size in bytes, its SHA-256 in hex."""

    artifact: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """That of the file."""
        return f"{self.artifact}-{VERSION}.jar"

    @property
    def path(self) -> str:
        """Where the file is in a repository with Maven's layout."""
        return f"{GROUP.replace('.', '/')}/{self.artifact}/{VERSION}/{self.name}"


# Built for Spark 4.1; the first artifact's name has the versions of Spark and Scala.
JARS = (
    Jar(
        "delta-spark_4.1_2.13",
        9_471_929,
        "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10",
    ),
    Jar(
        "delta-storage",
        113_863,
        "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
    ),
)

HELP = (
    f"name a mirror of Maven Central in {MIRROR}, or put {JARS[0].name} and {JARS[1].name} in a "
    f"folder and name it in {JARS_FOLDER}"
)


def delta_jars() -> list[Path]:
    """The JARs of the folder in ``CROSSIC_ETL_JARS``, or Delta's, which are fetched at first.

    No JARs are returned where Spark's own resolver, Ivy, has to fetch them: it has repositories of
    its own, or the JARs were not to be had here.

    Raises:
        UnfitSettingError: a file that was fetched is not Delta's.
    """
    if folder := os.environ.get(JARS_FOLDER):
        return sorted(Path(folder).glob("*.jar"))
    for kept in _known_places():
        if all(path.is_file() for path in kept):
            return kept
    if has_own_repositories():
        return []
    try:
        return _fetch(cache_folder())
    except (OSError, HTTPException) as error:
        log.info("Delta's JARs could not be fetched (%s); Spark's resolver tries next", error)
        return []


def cache_folder() -> Path:
    """The folder for what can be fetched or made again; it may not exist."""
    # By the XDG Base Directory Specification a path that isn't absolute is ignored.
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "crossic-etl"


def has_own_repositories() -> bool:
    """Whether the options of Spark in this environment name repositories for its resolver."""
    home = os.environ.get("SPARK_CONF_DIR") or f"{os.environ.get('SPARK_HOME', '')}/conf"
    defaults = Path(home, "spark-defaults.conf")
    said = os.environ.get("PYSPARK_SUBMIT_ARGS", "")
    if defaults.is_file():
        lines = defaults.read_text("utf-8", "replace").splitlines()
        said += " ".join(line for line in lines if not line.lstrip().startswith("#"))
    return any(name in said for name in RESOLVER)


def _known_places() -> Iterator[list[Path]]:
    """The files in caches of Ivy (of earlier sessions), Maven and this package, and in images."""
    for cache in Path.home().glob(".ivy2*/jars"):
        yield [cache / f"{GROUP}_{jar.name}" for jar in JARS]
    yield [Path.home() / ".m2" / "repository" / jar.path for jar in JARS]
    yield [cache_folder() / jar.name for jar in JARS]
    if spark := os.environ.get("SPARK_HOME"):
        yield [Path(spark) / "jars" / jar.name for jar in JARS]


def _fetch(folder: Path) -> list[Path]:
    """Fetches the JARs into a folder.

    Raises:
        OSError, HTTPException: the server can't be reached, or the folder can't be written to.
        UnfitSettingError: a file is not Delta's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log.info("fetching Delta's JARs, %.1f MB, once", sum(jar.size for jar in JARS) / 1e6)
    repository = os.environ.get(MIRROR) or CENTRAL
    for jar in JARS:
        with urlopen(f"{repository.rstrip('/')}/{jar.path}", timeout=TIMEOUT) as answer:
            content = answer.read(jar.size + 1)
        if hashlib.sha256(content).hexdigest() != jar.sha256:
            raise UnfitSettingError(
                f"{urlsplit(repository).hostname}: its {jar.name} is not the one that Delta has "
                f"released; {HELP}"
            )
        # Sessions that start at once each fetch it, and each puts the same file there.
        write_bytes(folder / jar.name, content)
    return [folder / jar.name for jar in JARS]
