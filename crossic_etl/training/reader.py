"""Random access to the windows of an export in any layout; needs numpy and pyarrow only.

    python -m crossic_etl.training.reader FOLDER

verifies every file of an export against its manifest and prints a summary.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import overload

from crossic_etl.export.manifest import (
    ExportError,
    Manifest,
    ManifestError,
    check_files,
    read_manifest,
)
from crossic_etl.training.shards import SUFFIXES, Recent, Shard, TokenWindow, open_shard

__all__ = ["ExportError", "ManifestError", "TokenWindow", "Windows", "open_export"]

# Files whose memory maps and footers stay open at once.
OPEN_SHARDS = 64


class Windows(Sequence[TokenWindow]):
    """The windows of one split in the export's order, which is already shuffled.

    A window is read on access: its row group (parquet) or its own bytes. Can be pickled for a data
    loader's processes, which open the files themselves.
    """

    def __init__(self, folder: str | Path, manifest: Manifest, split: str) -> None:
        self.folder, self.manifest, self.split = Path(folder), manifest, split
        suffix = SUFFIXES[manifest.layout]
        files = [f for f in manifest.splits[split].files if f.path.endswith(suffix)]
        self._paths = [self.folder / file.path for file in files]
        self._stops = list(accumulate(file.windows for file in files))
        self._open: Recent[int, Shard] = Recent(OPEN_SHARDS)

    def __len__(self) -> int:
        return self._stops[-1] if self._stops else 0

    @overload
    def __getitem__(self, index: int) -> TokenWindow: ...
    @overload
    def __getitem__(self, index: slice) -> list[TokenWindow]: ...
    def __getitem__(self, index: int | slice) -> TokenWindow | list[TokenWindow]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        number = bisect_right(self._stops, at)
        shard = self._open.get(number, lambda: open_shard(self._paths[number], self.manifest))
        first = self._stops[number - 1] if number else 0
        if len(shard) != self._stops[number] - first:
            raise ExportError(
                f"{self._paths[number]}: {len(shard)} windows, "
                f"{self._stops[number] - first} in the manifest"
            )
        return shard.window(at - first)

    def __getstate__(self) -> tuple[Path, Manifest, str]:
        return self.folder, self.manifest, self.split

    def __setstate__(self, state: tuple[Path, Manifest, str]) -> None:
        Windows.__init__(self, *state)


def open_export(folder: str | Path, split: str, verify: bool = True) -> Windows:
    """The windows of one split of the export in ``folder``.

    Existence and size of the split's files are always checked, their checksums if ``verify``.

    Raises:
        ManifestError: the folder holds no export, or its files don't fit the manifest.
        ExportError: the split doesn't exist.
    """
    manifest = read_manifest(folder)
    if split not in manifest.splits:
        raise ExportError(f"{folder}: no split {split!r}, one of {', '.join(manifest.splits)}")
    check_files(folder, manifest.splits[split].files, verify)
    return Windows(folder, manifest, split)


def verify_export(folder: str | Path) -> Manifest:
    """Reads every file; compares checksums, and each split's windows, tokens and sum of ids.

    Raises:
        ExportError: names the first difference from the manifest.
    """
    manifest = read_manifest(folder)
    check_files(folder, manifest.files)
    for name, split in manifest.splits.items():
        windows = Windows(folder, manifest, name)
        tokens = repeated = total = 0
        for window in windows:
            tokens += len(window.input_ids)
            repeated += window.n_repeated
            total += int(window.input_ids.sum(dtype="int64"))
        found = {
            "windows": len(windows), "tokens": tokens, "repeated tokens": repeated,
            "new tokens": tokens - repeated, "sum of ids": total,
        }  # fmt: skip
        stated = {
            "windows": split.windows, "tokens": split.tokens,
            "repeated tokens": split.repeated_tokens, "new tokens": split.new_tokens,
            "sum of ids": manifest.token_sum[name],
        }  # fmt: skip
        for what, count in found.items():
            if count != stated[what]:
                raise ExportError(
                    f"{folder}: {name} has {count} {what}, {stated[what]} in the manifest"
                )
    return manifest


def main(argv: Sequence[str] | None = None) -> int:
    """Verifies an export; the exit status is 0, or 1 after one line of error."""
    arguments = argparse.ArgumentParser(description="Verify an export and print what it holds.")
    arguments.add_argument("folder", metavar="FOLDER")
    folder = arguments.parse_args(argv).folder
    try:
        manifest = verify_export(folder)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    tokenizer, window = manifest.tokenizer, manifest.window
    print(
        f"{folder}: {manifest.layout}, {manifest.arrangement}, {', '.join(manifest.languages)}, "
        f"{window.policy} windows of {window.length} tokens of {tokenizer.name}"
    )
    for name, split in manifest.splits.items():
        print(
            f"{name}: {split.windows:,} windows, {split.samples:,} samples, {split.tokens:,} "
            f"tokens, {split.new_tokens:,} of them new, in {len(split.files)} files"
        )
    for name, shares in manifest.arrangements.items():
        print(f"{name}: {shares.samples:,} samples, {shares.line()}")
    print(", ".join(f"{name}: {n:,} samples" for name, n in sorted(manifest.licences.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
