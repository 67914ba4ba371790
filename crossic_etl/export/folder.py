"""The folder of an export: written to a staging folder beside it, then moved as a whole.

On a disk (or HDFS) the move is one rename. A reader finds the old export or the new one; between
the two renames of a replacement it finds none. An object store can't rename a folder: there the
files are copied one by one, the manifest last, and a mark lies in the folder until the end. A
folder without a manifest is no export, so no reader takes a part for the whole.

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
    """The staging folder of one run.

    Attributes:
        where: folder or URL of the export, as it was given.
        parts: folder or URL that workers write to, each file under a unique name.
        run: id of the run, part of the staging folder's name.
        overwrite: replace an export that exists.
    """

    where: str
    parts: str
    run: str
    overwrite: bool

    @property
    def _place(self) -> tuple[fs.FileSystem, str]:
        return open_filesystem(self.where)

    def commit(self, moves: Mapping[str, str], texts: Mapping[str, bytes]) -> None:
        """Makes the export of the workers' files and further ones.

        Args:
            moves: name of each file in ``parts`` to its path in the export.
            texts: path to content of further files, written in this order, the manifest last.

        Raises:
            ExportError: a part is missing, or another export was made here meanwhile. Nothing is
                changed then.
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
        """Renames the new export to its final path; if that fails, restores an old one."""
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
    """A staging folder for an export; removed at the end, with all that wasn't committed.

    Removes staging folders of dead runs first, and restores an export that such a run was about
    to replace.

    Raises:
        ExportError: an export exists and ``overwrite`` is false; or the folder holds something
            else, can't be written to, or is used by a run that still goes on.
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
    """The folder that workers write to, as a path or URL with the options that ``where`` has."""
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
    """``absent``, ``empty``, ``export``, ``incomplete`` (a store's marked folder) or ``other``."""
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
    """Removes what dead runs left beside the export's path and in it."""
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
    """Empties a folder of an object store, the manifest first: what is left is no export."""
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
    """The JSON object in a file; empty if the file doesn't exist or holds none."""
    try:
        with filesystem.open_input_file(path) as stream:
            tree = json.loads(stream.read())
    except (OSError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _words(error: OSError) -> str:
    return error.strerror or " ".join(str(error).split())
