"""The folder of an export: written beside its place, under a name of its own, then moved whole.

On a disk (or HDFS) the move is one rename: a reader finds the old export, the new one, or, in the
instant between the two renames of a replacement, none. An object store has no renaming of folders:
there the files are copied to their place one by one, the manifest last, with a mark in the folder
meanwhile. What is without a manifest is no export, so that no reader takes a part for the whole.

Workers must reach the same place as the driver: a shared disk or a URL.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pyarrow import fs

from crossic_etl.export.manifest import FORMAT, MANIFEST, ExportError
from crossic_etl.export.owners import describe_owner, is_alive
from crossic_etl.kernels.export.filesystems import open_filesystem, sync, write_file

OWNER, MARK = "owner.json", ".incomplete"
MOVES_AT_ONCE = 16


@dataclass(frozen=True)
class Staging:
    """Where one run's files are until it commits.

    Attributes:
        where: the export's place as it was given.
        parts: folder or URL that workers write to, each file under a unique name.
    """

    where: str
    parts: str
    run: str
    overwrite: bool

    @property
    def _place(self) -> tuple[fs.FileSystem, str]:
        return open_filesystem(self.where)

    def commit(self, moves: Mapping[str, str], texts: Mapping[str, bytes]) -> None:
        """Makes the export of parts (name to path in it) and texts (path to bytes, the last last).

        Raises:
            ExportError: a part isn't there, or the place was taken meanwhile; nothing is changed.
        """
        filesystem, path = self._place
        source = f"{_temporary(path, self.run)}/parts"
        _check_parts(filesystem, source, list(moves), self.where)
        renames = isinstance(filesystem, (fs.LocalFileSystem, fs.HadoopFileSystem))
        target = f"{_temporary(path, self.run)}/whole" if renames else path
        if not renames:
            _clear(filesystem, path)
            write_file(filesystem, f"{path}/{MARK}", self.run.encode())
        folders = {f"{target}/{name}".rpartition("/")[0] for name in [*moves.values(), *texts]}
        for folder in sorted(folders):
            filesystem.create_dir(folder, recursive=True)

        def move(names: tuple[str, str]) -> None:
            filesystem.move(f"{source}/{names[0]}", f"{target}/{names[1]}")

        with ThreadPoolExecutor(MOVES_AT_ONCE) as threads:
            list(threads.map(move, moves.items()))
        for name, data in texts.items():
            write_file(filesystem, f"{target}/{name}", data)
        for folder in sorted(folders):
            sync(filesystem, folder)
        if renames:
            self._swap(filesystem, target, path)
        else:
            filesystem.delete_file(f"{path}/{MARK}")

    def _swap(self, filesystem: fs.FileSystem, new: str, path: str) -> None:
        """Renames the new export to its place; where that fails an old one goes back."""
        old = _replaced(path, self.run)
        _check_place(filesystem, path, self.where, self.overwrite)
        state = _state(filesystem, path)
        if state == "empty":
            filesystem.delete_dir(path)
        elif state == "export":
            filesystem.move(path, old)
        try:
            filesystem.move(new, path)
        except OSError:
            if state == "export":
                filesystem.move(old, path)
            raise
        sync(filesystem, path.rpartition("/")[0] or "/")
        if state == "export":
            filesystem.delete_dir(old)


@contextmanager
def staging(where: str, overwrite: bool = False) -> Iterator[Staging]:
    """A place to write an export to; what isn't committed at its end is removed.

    What dead runs left beside the place is removed first; an export that such a run was about to
    replace goes back to its place.

    Raises:
        ExportError: there is an export and it isn't to be overwritten, or something else, or a
            run that still goes on, or the place can't be written to.
    """
    try:
        filesystem, path = open_filesystem(where)
    except ValueError as error:
        raise ExportError(str(error)) from None
    if not re.search(r"./.|^/.", path):
        raise ExportError(f"{where}: a folder with a name expected")
    run = uuid.uuid4().hex[:12]
    try:
        _sweep(filesystem, path, where)
        _check_place(filesystem, path, where, overwrite)
        temporary = _temporary(path, run)
        filesystem.create_dir(f"{temporary}/parts", recursive=True)
        write_file(filesystem, f"{temporary}/{OWNER}", json.dumps(describe_owner()).encode())
    except OSError as error:
        raise ExportError(f"{where}: can't be written to ({_words(error)})") from None
    try:
        yield Staging(where, _parts_of(where, temporary), run, overwrite)
    finally:
        with suppress(OSError):
            filesystem.delete_dir(temporary)


def _parts_of(where: str, temporary: str) -> str:
    """What a worker opens: the staging folder as the place was given, options in a URL included."""
    url, question, options = where.partition("?")
    if "://" not in url:
        return f"{temporary}/parts"
    parent, name = url.rstrip("/").rpartition("/")[0], temporary.rpartition("/")[2]
    return f"{parent}/{name}/parts{question}{options}"


def _check_place(filesystem: fs.FileSystem, path: str, where: str, overwrite: bool) -> None:
    state = _state(filesystem, path)
    if state == "export" and not overwrite:
        raise ExportError(f"{where}: holds an export already; --overwrite replaces it whole")
    if state == "other":
        raise ExportError(
            f"{where}: isn't empty and holds no export (no {MANIFEST} of one): name another place"
        )


def _state(filesystem: fs.FileSystem, path: str) -> str:
    """``absent``, ``empty``, ``export``, ``incomplete`` (on an object store), or ``other``."""
    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        return "absent"
    if info.type != fs.FileType.Directory:
        return "other"
    names = [item.base_name for item in filesystem.get_file_info(fs.FileSelector(path))]
    if MARK in names:
        return "incomplete"
    if MANIFEST in names:
        head = json_of(filesystem, f"{path}/{MANIFEST}")
        return "export" if head.get("format") == FORMAT else "other"
    return "other" if names else "empty"


def _sweep(filesystem: fs.FileSystem, path: str, where: str) -> None:
    """Removes what dead runs left beside the place and in it."""
    selector = fs.FileSelector(path.rpartition("/")[0] or "/", allow_not_found=True)
    beside = [item.path for item in filesystem.get_file_info(selector)]
    for folder in beside:
        if _is_of(folder, _temporary(path, "")):
            owner = json_of(filesystem, f"{folder}/{OWNER}")
            if is_alive(owner):
                raise ExportError(
                    f"{where}: another run ({owner['host']}, process {owner['pid']}, since "
                    f"{owner['started']}) exports here; if it is dead, remove {folder}"
                )
            filesystem.delete_dir(folder)
    for folder in beside:
        if _is_of(folder, _replaced(path, "")):
            if _state(filesystem, path) == "absent" and _state(filesystem, folder) == "export":
                filesystem.move(folder, path)
            else:
                filesystem.delete_dir(folder)
    if _state(filesystem, path) == "incomplete":
        _clear(filesystem, path)


def _is_of(folder: str, beginning: str) -> bool:
    return folder.rpartition("/")[2].startswith(beginning.rpartition("/")[2])


def _clear(filesystem: fs.FileSystem, path: str) -> None:
    """Empties a folder of an object store, its manifest first: no part of it is an export."""
    for item in filesystem.get_file_info([f"{path}/{MANIFEST}"]):
        if item.type == fs.FileType.File:
            filesystem.delete_file(item.path)
    filesystem.delete_dir_contents(path, missing_dir_ok=True)


def _check_parts(filesystem: fs.FileSystem, source: str, names: Sequence[str], where: str) -> None:
    infos = filesystem.get_file_info([f"{source}/{name}" for name in names])
    if any(info.type != fs.FileType.File for info in infos):
        raise ExportError(
            f"{where}: what the workers wrote isn't here: they must reach the same place as the "
            "driver, a shared disk or a URL"
        )


def _temporary(path: str, run: str) -> str:
    parent, slash, name = path.rpartition("/")
    return f"{parent}{slash}.{name}.exporting-{run}"


def _replaced(path: str, run: str) -> str:
    parent, slash, name = path.rpartition("/")
    return f"{parent}{slash}.{name}.replaced-{run}"


def json_of(filesystem: fs.FileSystem, path: str) -> dict[str, object]:
    """The mapping in a file; empty where the file isn't there or holds none."""
    try:
        with filesystem.open_input_file(path) as stream:
            tree = json.loads(stream.read())
    except (OSError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _words(error: OSError) -> str:
    return error.strerror or " ".join(str(error).split())
