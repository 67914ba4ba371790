"""The exports of a job: their manifests and, if they are on this machine, their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from crossic_etl.config.errors import require
from crossic_etl.config.training import TrainingConfig
from crossic_etl.export.manifest import ExportFile, Manifest, check_files, read_manifest
from crossic_etl.kernels.splits import TRAIN, VALIDATION
from crossic_etl.submit.job import SubmitError

# From so many bytes on, a line says why reading them takes long.
MANY_BYTES = 10**10


def read_exports(config: TrainingConfig, copies: Sequence[str]) -> dict[str, Manifest]:
    """The manifest of each export by its folder. Files must exist, but aren't read.

    Args:
        config: names the exports to train on and those to validate with.
        copies: for each export to train on, the folder on this machine with it or with a copy of
            its manifest; empty if the configuration's folders are on this machine. With copies,
            exports that are only validated with are not read.

    Raises:
        ManifestError: an export is missing or damaged.
        ConfigError: the number of copies isn't that of the exports.
    """
    require(
        len(copies) in (0, len(config.exports)), "--manifest", list(copies),
        f"none, or one for each of the {len(config.exports)} exports",
    )  # fmt: skip
    if copies:
        found = [read_manifest(copy) for copy in copies]
        return dict(zip(config.exports, found, strict=True))
    folders = (*config.exports, *config.validation.exports.values())
    manifests = {folder: read_manifest(folder) for folder in folders}
    for folder, manifest in manifests.items():
        check_files(folder, manifest.files, checksums=False)
    return manifests


def verify(
    config: TrainingConfig,
    manifests: Mapping[str, Manifest],
    copies: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """Compares the checksum of each file that training will read, if it is on this machine.

    Args:
        config: as for `read_exports`.
        manifests: the result of `read_exports`.
        copies: as for `read_exports`. If a copy is a whole export, its files are read.
        say: takes lines on what is not checked or takes long.

    Raises:
        ManifestError: a file doesn't fit the manifest.
        SubmitError: a file can't be read.
    """
    places = dict(zip(config.exports, copies, strict=True)) if copies else {}
    here: dict[str, list[ExportFile]] = {}
    for folder, manifest in manifests.items():
        files, place = _files(config, folder, manifest), places.get(folder, folder)
        if places and not any((Path(place) / file.path).exists() for file in files):
            say(f"not checked: the files of {folder}, in {place} is only its manifest")
        else:
            here[place] = files
    n_bytes = sum(file.bytes for files in here.values() for file in files)
    if n_bytes >= MANY_BYTES:
        say(f"comparing the checksums of {n_bytes / 1e9:,.0f} GB (not with --skip-checksums)")
    try:
        for place, files in here.items():
            check_files(place, files)
    except OSError as error:
        raise SubmitError(f"{error.filename}: can't be read ({error.strerror})") from None


def _files(config: TrainingConfig, folder: str, manifest: Manifest) -> list[ExportFile]:
    """The files of an export's splits that are trained on or validated with."""
    used = {TRAIN: config.exports, VALIDATION: config.validation.exports.values() or config.exports}
    splits = [manifest.splits[name] for name, folders in used.items()
              if folder in folders and name in manifest.splits]  # fmt: skip
    return [file for split in splits for file in split.files]
