from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossic_etl.config.download import CrawlListing, Download
from crossic_etl.download.http import Client
from crossic_etl.download.listings import list_files, take_shard
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.errors import InputError
from tests.download.mirror_server import MirrorServer, serving

PATHS = [f"crawl-data/CC-MAIN-2026-05/segments/1.{n}/wet/{n:05}.warc.wet.gz" for n in range(7)]


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with serving(MirrorServer()) as running:
        yield running


@pytest.fixture
def client() -> Client:
    return Client(Download(contact="me@example.org", backoff=0, tries=2), print)


def test_paths_of_common_crawl_are_below_their_base(server: MirrorServer, client: Client) -> None:
    server.files["/wet.paths.gz"] = gzip.compress(("\n".join(PATHS) + "\n").encode())
    listing = CrawlListing(f"{server.url}/wet.paths.gz", "/data/cc/", "https://data.example/")
    files = list_files(client, listing)
    assert files[3] == RemoteFile(f"https://data.example/{PATHS[3]}", f"/data/cc/{PATHS[3]}")
    assert len(files) == 7


def test_urls_in_a_local_file_go_under_their_path(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    path.write_text("https://a.example/x/%E0%B9%84%E0%B8%97%E0%B8%A2 1.parquet?download=true\n\n")
    assert list_files(client, CrawlListing(str(path), "s3://b")) == [
        RemoteFile(
            "https://a.example/x/%E0%B9%84%E0%B8%97%E0%B8%A2 1.parquet?download=true",
            "s3://b/x/ไทย 1.parquet",
        )
    ]


def test_the_hub_s_tree_gives_sizes_and_hashes_over_all_its_pages(
    server: MirrorServer, client: Client
) -> None:
    tree = "/api/datasets/org/web/tree/v1.0/data?recursive=true"
    large = {"oid": "ab" * 32, "size": 900, "pointerSize": 134}
    server.files[tree] = json.dumps(
        [
            {"type": "directory", "oid": "1", "size": 0, "path": "data/CC-1"},
            {"type": "file", "oid": "2", "size": 900, "lfs": large, "path": "data/CC-1/b.parquet"},
            {"type": "file", "oid": "3", "size": 7, "path": "data/README.md"},
        ]
    ).encode()
    server.headers[tree]["Link"] = f'<{server.url}/page-2>; rel="next"'
    server.files["/page-2"] = json.dumps(
        [{"type": "file", "oid": "4", "size": 5, "path": "data/CC-1/a.parquet"}]
    ).encode()
    listing = CrawlListing(server.url + tree, "/data", match="data/CC-1/*.parquet")
    base = f"{server.url}/datasets/org/web/resolve/v1.0/data/CC-1"
    assert list_files(client, listing) == [
        RemoteFile(f"{base}/a.parquet", "/data/data/CC-1/a.parquet", 5),
        RemoteFile(f"{base}/b.parquet", "/data/data/CC-1/b.parquet", 900, {"sha256": "ab" * 32}),
    ]


@pytest.mark.parametrize(
    "tree",
    [
        {"parquet_files": [{"split": "train", "url": "https://h.example/a/0.parquet", "size": 8}]},
        {"default": {"train": ["https://h.example/a/0.parquet"]}},
        ["https://h.example/a/0.parquet"],
    ],
)
def test_lists_of_parquet_urls_in_json(client: Client, tmp_path: Path, tree: object) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(tree))
    ((file),) = list_files(client, CrawlListing(str(path), "/d", "https://h.example/a/"))
    assert (file.url, file.path) == ("https://h.example/a/0.parquet", "/d/0.parquet")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a/b.parquet", r"has paths and no URLs: set download\.crawl\.base"),
        (b"https://h.example/../../etc/passwd", "is no path of a file"),
        (b"https://h.example/%2e%2e/x", "is no path of a file"),
        (b"https://h.example/", "is no path of a file"),
        (b"", "names no file that fits"),
        (b"{", "neither lines of paths nor JSON"),
        (b"\xff\xfe", "neither lines of paths nor JSON"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "is a damaged gzip file"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_line(
    client: Client, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list_files(client, CrawlListing(str(path), "/d"))


def test_a_list_that_is_not_there_is_one_line(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="list isn't there"):
        list_files(client, CrawlListing(str(tmp_path / "list"), "/d"))


def files_of(client: Client, path: Path, paths: list[str]) -> list[RemoteFile]:
    path.write_text("\n".join(paths))
    return list_files(client, CrawlListing(str(path), "/d", "https://h.example/"))


def test_shards_are_the_same_whatever_the_order_of_the_list_and_together_all(
    client: Client, tmp_path: Path
) -> None:
    files = files_of(client, tmp_path / "a", PATHS)
    mixed = files_of(client, tmp_path / "b", [*PATHS[4:], *PATHS])
    shards = [take_shard(files, number, 3) for number in (1, 2, 3)]
    assert shards == [take_shard(mixed, number, 3) for number in (1, 2, 3)]
    assert [len(shard) for shard in shards] == [3, 2, 2]
    assert sorted(file.path for shard in shards for file in shard) == [f.path for f in files]
