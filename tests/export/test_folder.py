"""An export appears whole or not at all, and what dead runs leave is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from crossic_etl.export import folder as export_folder
from crossic_etl.export.folder import Staging, staging
from crossic_etl.export.manifest import FORMAT, ExportError
from crossic_etl.export.owners import describe_owner, is_alive
from crossic_etl.kernels.export.filesystems import open_filesystem, write_file

MANIFEST = json.dumps({"format": FORMAT}).encode()


def write_part(folder: Staging, name: str, data: bytes) -> None:
    filesystem, path = open_filesystem(folder.parts)
    write_file(filesystem, f"{path}/{name}", data)


def export(to: str, data: bytes, overwrite: bool = False) -> None:
    with staging(to, overwrite) as folder:
        write_part(folder, "a1", data)
        write_part(folder, "of-a-try-that-failed", b"?")
        folder.commit(
            {"a1": "train/00000.parquet"},
            {"validation/index.json": b"{}", "manifest.json": MANIFEST},
        )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


WHOLE = {"train/00000.parquet": b"one", "validation/index.json": b"{}", "manifest.json": MANIFEST}


def test_an_export_is_what_was_committed_and_nothing_else(tmp_path: Path) -> None:
    export(str(tmp_path / "new" / "x"), b"one")
    assert files(tmp_path) == {f"new/x/{name}": data for name, data in WHOLE.items()}


def test_nothing_is_there_before_the_commit_nor_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staging(str(tmp_path / "x")) as folder:
        write_part(folder, "a1", b"one")
        assert not (tmp_path / "x").exists()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_not_overwritten_unasked(tmp_path: Path) -> None:
    export(str(tmp_path / "x"), b"one")
    with pytest.raises(ExportError, match="holds an export already"):
        export(str(tmp_path / "x"), b"two")
    assert files(tmp_path / "x") == WHOLE


def test_an_export_is_replaced_whole(tmp_path: Path) -> None:
    export(str(tmp_path / "x"), b"one")
    (tmp_path / "x" / "train" / "00001.parquet").write_bytes(b"of the old one")
    export(str(tmp_path / "x"), b"two", overwrite=True)
    assert files(tmp_path / "x") == WHOLE | {"train/00000.parquet": b"two"}
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_old_export_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    export(str(tmp_path / "x"), b"one")
    with (
        pytest.raises(ExportError, match="what the workers wrote isn't here"),
        staging(str(tmp_path / "x"), overwrite=True) as folder,
    ):
        folder.commit({"missing": "train/00000.parquet"}, {"manifest.json": MANIFEST})
    assert files(tmp_path) == {f"x/{name}": data for name, data in WHOLE.items()}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_other_things_is_never_touched(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.json").write_text('{"format": "of a web app"}')
    with pytest.raises(ExportError, match="holds no export"):
        export(str(tmp_path / "x"), b"one", overwrite)
    assert list(files(tmp_path)) == ["x/manifest.json"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    export(str(tmp_path / "x"), b"one")
    assert files(tmp_path / "x") == WHOLE


def test_who_came_first_wins(tmp_path: Path) -> None:
    with (
        pytest.raises(ExportError, match="holds an export already"),
        staging(str(tmp_path / "x")) as folder,
    ):
        write_part(folder, "a1", b"two")
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "manifest.json").write_bytes(MANIFEST)
        folder.commit({"a1": "train/00000.parquet"}, {"manifest.json": MANIFEST})
    assert files(tmp_path) == {"x/manifest.json": MANIFEST}


def test_a_run_that_goes_on_is_not_disturbed(tmp_path: Path) -> None:
    with staging(str(tmp_path / "x")) as folder:
        write_part(folder, "a1", b"one")
        with pytest.raises(ExportError, match=rf"another run \(.*process {os.getpid()}"):
            export(str(tmp_path / "x"), b"two")
        export(str(tmp_path / "xx"), b"another place")
        folder.commit({"a1": "train/00000.parquet"}, {"manifest.json": MANIFEST})
    assert (tmp_path / "x" / "train" / "00000.parquet").read_bytes() == b"one"


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    script = (
        "import os, sys; from crossic_etl.export.folder import staging\n"
        "with staging(sys.argv[1]) as folder: os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "x")], check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "owner.json").exists()
    export(str(tmp_path / "x"), b"one")
    assert files(tmp_path) == {f"x/{name}": data for name, data in WHOLE.items()}


def test_an_export_that_a_dead_run_was_replacing_goes_back(tmp_path: Path) -> None:
    export(str(tmp_path / "x"), b"one")
    (tmp_path / "x").rename(tmp_path / ".x.replaced-0123456789ab")
    with pytest.raises(ExportError, match="holds an export already"):
        export(str(tmp_path / "x"), b"two")
    assert files(tmp_path) == {f"x/{name}": data for name, data in WHOLE.items()}


def test_a_replaced_export_that_a_dead_run_left_is_removed(tmp_path: Path) -> None:
    for name in ("x", ".x.replaced-0123456789ab"):
        export(str(tmp_path / name), b"one")
    export(str(tmp_path / "x"), b"two", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_process_is_known_by_its_number_and_when_it_began() -> None:
    me = describe_owner()
    assert is_alive(me)
    assert not is_alive(me | {"process_started": "1"})
    assert not is_alive({})


def test_an_owner_that_an_older_version_wrote_is_looked_up_too() -> None:
    older = {name: value for name, value in describe_owner().items() if name != "machine"}
    assert is_alive(older)
    assert not is_alive(older | {"process_started": "1"})
    assert not is_alive(older | {"pid": 2**22 + 1})


def test_an_owner_from_before_a_restart_of_this_host_is_dead() -> None:
    namespace = str(describe_owner()["machine"]).partition(" ")[2]
    assert not is_alive(describe_owner() | {"machine": f"another-boot {namespace}"})


def test_an_owner_in_another_container_of_this_host_is_presumed_dead_after_a_day() -> None:
    boot = str(describe_owner()["machine"]).partition(" ")[0]
    other = describe_owner() | {"machine": f"{boot} pid:[1]"}
    assert is_alive(other)
    before = datetime.now(timezone.utc) - timedelta(hours=25)
    assert not is_alive(other | {"started": before.isoformat()})


def test_a_process_of_another_machine_is_presumed_dead_after_a_day() -> None:
    other = describe_owner() | {"host": "another"}
    assert is_alive(other)
    before = datetime.now(timezone.utc) - timedelta(hours=25)
    assert not is_alive(other | {"started": before.isoformat()})


def test_a_place_that_can_not_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for where in (f"{tmp_path}/file/x", f"{tmp_path}/file", "/", "nowhere://x/y"):
        with pytest.raises(ExportError) as error:
            export(where, b"one")
        assert "\n" not in str(error.value)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """An object store, no folder of which can be renamed: the URL of a place, and a client."""
    from tests.support.servers import object_store

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with object_store(tmp_path) as (address, client):
        client.create_bucket(Bucket="bucket")
        host = address.removeprefix("http://")
        yield f"s3a://bucket/exports/x?scheme=http&endpoint_override={host}", client


def stored(client: Any) -> dict[str, bytes]:
    """The objects of the bucket; those that stand for folders are empty and end in a slash."""
    found = client.list_objects_v2(Bucket="bucket")["Contents"]
    return {
        item["Key"]: client.get_object(Bucket="bucket", Key=item["Key"])["Body"].read()
        for item in found
        if not item["Key"].endswith("/")
    }


@pytest.mark.slow
def test_an_object_store_gets_the_files_one_by_one(store: tuple[str, Any]) -> None:
    where, client = store
    export(where, b"one")
    assert stored(client) == {f"exports/x/{name}": data for name, data in WHOLE.items()}
    with pytest.raises(ExportError, match="holds an export already"):
        export(where, b"two")
    export(where, b"two", overwrite=True)
    assert stored(client)["exports/x/train/00000.parquet"] == b"two"


@pytest.mark.slow
def test_what_a_dead_run_left_in_a_store_is_no_export(store: tuple[str, Any]) -> None:
    where, client = store
    export(where, b"one")
    for name in (".incomplete", "train/00007.parquet"):
        client.put_object(Bucket="bucket", Key=f"exports/x/{name}", Body=b"0123456789ab")
    export(where, b"two")
    expected = WHOLE | {"train/00000.parquet": b"two"}
    assert stored(client) == {f"exports/x/{name}": data for name, data in expected.items()}


def test_workers_open_the_same_url_with_its_options() -> None:
    made = export_folder._parts_of(
        "s3a://bucket/a/x/?endpoint_override=http://h:9/", "bucket/a/.x.exporting-1"
    )
    assert made == "s3a://bucket/a/.x.exporting-1/parts?endpoint_override=http://h:9/"
