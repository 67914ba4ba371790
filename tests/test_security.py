"""What `docs/security.md` says, as far as no other module of tests holds it."""

from __future__ import annotations

import ast
import gzip
import json
import os
import pickle
import shlex
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossic_etl.config import load_config
from crossic_etl.config.download import CrawlListing, Download
from crossic_etl.config.errors import ConfigError
from crossic_etl.config.secrets import ANYWHERE
from crossic_etl.config.submit import Slurm
from crossic_etl.config.training import Model, load_training_config
from crossic_etl.download import http, listings
from crossic_etl.download.http import Client
from crossic_etl.download.listings import list_files
from crossic_etl.download.locations import Location
from crossic_etl.download.mirror import IncompleteError, Mirror
from crossic_etl.export.manifest import ManifestError, parse_manifest, to_json
from crossic_etl.export.plan import ExportRequest
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.crawl.records import FIELDS, RawDocument, read_json_lines
from crossic_etl.kernels.search.calibration import Calibration, calibrate
from crossic_etl.kernels.search.quantizer import Quantizer
from crossic_etl.kernels.wiki.dump_records import Reject
from crossic_etl.kernels.wiki.dump_xml import parse_record, parse_siteinfo
from crossic_etl.kernels.wiki.salvage import salvage_records
from crossic_etl.kernels.wiki.sql_dump import columns_of, parse_insert
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.pipeline.retrieval.plot import write_plot
from crossic_etl.session import local_settings
from crossic_etl.training.errors import TrainingError
from tests.download.mirror_server import MirrorServer, serving
from tests.submit.inputs import with_tokenizer
from tests.support.commands import download, run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[1]
SECRET = "tell-no-one"
MIB = 2**20


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def peak_of(action: Callable[[], object]) -> int:
    """The most bytes that Python held at once meanwhile, beyond what it held before."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def client() -> Client:
    return Client(Download(contact="me@example.org", backoff=0, tries=2), print)


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with serving(MirrorServer()) as running:
        yield running


# Code


def calls_of(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The calls in a module: what is called, and the source of each argument with a name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            named = {k.arg: ast.unparse(k.value) for k in node.keywords if k.arg}
            yield ast.unparse(node.func), named


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_no_module_unpickles_evaluates_or_asks_a_shell() -> None:
    modules = [path for name in ("crossic_etl", "jobs") for path in (ROOT / name).rglob("*.py")]
    assert len(modules) > 150
    needed = {
        "np.load": ("allow_pickle", "False"), "torch.load": ("weights_only", "True"),
        "yaml.load": ("Loader", "_LOADER"),
    }  # fmt: skip
    unsafe = {"eval", "exec", "os.system", "os.popen", "yaml.unsafe_load", "tempfile.mktemp"}
    found: set[str] = set()
    for path in modules:
        loads = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
        assert not loads & set(imports_of(path)), path
        for name, named in calls_of(path):
            assert name not in unsafe, (path, name)
            assert named.get("shell", "False") == "False", (path, name)
            assert named.get("trust_remote_code") != "True", (path, name)
            if name in needed:
                key, value = needed[name]
                assert named.get(key) == value, (path, name)
                found.add(name)
    assert found == set(needed)


def test_a_pickle_in_a_table_is_no_quantizer(tmp_path: Path) -> None:
    hostile = np.array([Hostile(tmp_path / "made")], object)
    out = BytesIO()
    np.savez(out, centroids=hostile, n_trained=np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="are no quantizer"):
        Quantizer.from_bytes(out.getvalue())
    assert not (tmp_path / "made").exists()


def test_a_configuration_makes_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"root: !!python/object/apply:os.mkdir [{tmp_path / 'made'}]\n")
    with pytest.raises(ConfigError, match="valid YAML"):
        load_config(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", ["object", "O", "V8", "int64", "U4"])
def test_tokens_of_an_export_are_read_as_numbers_of_two_types(kind: str) -> None:
    text = to_json(replace(with_tokenizer(), layout="flat", token_type=kind))
    with pytest.raises(ManifestError, match=f"token_type '{kind}'"):
        parse_manifest(text)
    assert parse_manifest(text.replace(f'"{kind}"', '"uint16"')).token_type == "uint16"


@pytest.mark.slow
def test_weights_are_not_unpickled(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from crossic_etl.training.checkpoints import OPTIMIZER, WEIGHTS, Checkpoints
    from crossic_etl.training.models import load_base, save_weights
    from tests.training.tiny import TOKENIZER, write_model

    payload = pickle.dumps(Hostile(tmp_path / "made"), 2)  # as torch does
    model = torch.nn.Linear(2, 2)
    checkpoint = Checkpoints(tmp_path).of(1)
    checkpoint.mkdir(parents=True)
    save_weights(model, checkpoint / WEIGHTS)
    (checkpoint / OPTIMIZER).write_bytes(payload)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        Checkpoints(tmp_path).load(1, model, {})
    folder = write_model(tmp_path / "model")
    (folder / "pytorch_model.bin").write_bytes(payload)
    with pytest.raises((TrainingError, pickle.UnpicklingError)):
        load_base(Model(str(folder)), TOKENIZER, torch.float32, 0)
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_code_that_comes_with_a_model_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("torch", "sentence_transformers", "transformers"):
        pytest.importorskip(package)
    import torch

    from crossic_etl.kernels.encoding.encoders import load_encoder
    from crossic_etl.kernels.encoding.spec import EncoderSpec
    from crossic_etl.kernels.tokens.backends import load_hugging_face
    from crossic_etl.training.fit import find_tokenizer
    from crossic_etl.training.models import load_base
    from tests.training.tiny import TOKENIZER

    folder, made = tmp_path / "model", tmp_path / "made"
    folder.mkdir()
    (folder / "stranger.py").write_text(f"import os\nos.mkdir({str(made)!r})\n")
    names = {
        "AutoConfig": "stranger.A", "AutoModelForCausalLM": "stranger.B",
        "AutoTokenizer": [None, "stranger.C"],
    }  # fmt: skip
    config = {"model_type": "stranger", "auto_map": names}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = {"tokenizer_class": "C", "auto_map": names}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    module = {"idx": 0, "name": "0", "path": "", "type": "stranger.D"}
    (folder / "modules.json").write_text(json.dumps([module]))
    # transformers would ask, and somebody would say yes
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(ValueError, match="can't be loaded"):
        load_hugging_face(str(folder))
    with pytest.raises(ValueError, match="can't be loaded"):
        load_encoder(EncoderSpec("sentence-transformers", str(folder)))
    with pytest.raises(TrainingError, match="can't be read"):
        load_base(Model(str(folder), random_init=True), TOKENIZER, torch.float32, 0)
    assert find_tokenizer(Model(str(folder))) is None
    assert not made.exists()


# Data that grows, or that points elsewhere


LAUGHS = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 30))
PAGE = (
    "<page><title>A{0}</title><ns>0</ns><id>3</id><revision><id>7</id><text>{0}</text></revision>"
)


@pytest.mark.parametrize("place", ["{0}{1}", "<mediawiki>{0}{1}", "{2}", "<mediawiki>\n{1}{0}"])
def test_entities_of_a_dump_are_neither_expanded_nor_read(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text(SECRET)
    wiki = Wiki.of("en")  # which reads tables, the first time
    declared = [
        ("&a29;", f"<!DOCTYPE m [<!ENTITY a0 'ha'>{LAUGHS}]>"),
        ("&a;", f"<!DOCTYPE m [<!ENTITY a SYSTEM '{(tmp_path / 'file').as_uri()}'>]>"),
        ("", f"<!DOCTYPE m SYSTEM '{(tmp_path / 'file').as_uri()}'>"),
    ]
    for used, doctype in declared:
        page = PAGE.format(used)
        inside = page.replace("<page>", f"<page>{doctype}")
        record = place.format(doctype, page, inside).encode()

        def parse(record: bytes = record) -> None:
            outcome = parse_record(record, wiki)
            assert isinstance(outcome, Reject) and SECRET not in repr(outcome)

        assert peak_of(parse) < MIB
    siteinfo = "<mediawiki><siteinfo><case>&a29;</case></siteinfo>"
    assert parse_siteinfo(f"{declared[0][1]}{siteinfo}", "en") is None
    assert parse_siteinfo(siteinfo, "en") is None


def test_a_gzip_bomb_in_a_dump_is_cut_to_the_limit() -> None:
    bomb = gzip.compress(b"a|" + b"\0" * 48 * MIB + b"|b|")
    records: list[tuple[bytes, str | None]] = []
    peak = peak_of(lambda: records.extend(salvage_records(bomb, b"|", limit=MIB)))
    assert [record for record, error in records if error is None] == [b"a", b"b"]
    assert max(len(record) for record, _ in records) == MIB
    kept = sum(len(record) for record, _ in records)
    assert peak < kept + 16 * MIB


def test_a_file_of_bz2_marks_takes_no_more_memory_than_a_block() -> None:
    data = b"BZh9" + b"1AY&SY" * 50_000

    def read() -> None:
        n_errors = sum(error is not None for _, error in salvage_records(data, b"|"))
        assert n_errors > 40_000

    assert peak_of(read) < MIB


def test_a_bomb_in_json_lines_costs_one_line() -> None:
    line = b'{"text": "a"}\n'
    bomb = gzip.compress(line + b'{"text": "' + b"0" * 48 * MIB + b'"}\n' + line)
    outcomes: list[Any] = []
    peak = peak_of(lambda: outcomes.extend(read_json_lines(bomb, "x", FIELDS["fineweb"])))
    assert [type(outcome) is RawDocument for outcome in outcomes] == [True, False, True]
    assert peak < 32 * MIB


@pytest.mark.parametrize("packed", ["by the server", "as a file", "not at all"])
def test_a_list_that_unpacks_to_too_much_is_refused(
    client: Client, server: MirrorServer, monkeypatch: pytest.MonkeyPatch, packed: str
) -> None:
    for module in (http, listings):
        monkeypatch.setattr(module, "MOST_BYTES", MIB)
    text = b"https://h.example/a\n" * (48 * MIB // 20)
    server.files["/list"] = text[: 2 * MIB] if packed == "not at all" else gzip.compress(text)
    if packed == "by the server":
        server.headers["/list"]["Content-Encoding"] = "gzip"

    def read() -> None:
        with pytest.raises(InputError, match=f"has more than {MIB} bytes"):
            list_files(client, CrawlListing(f"{server.url}/list", "/d"))

    assert peak_of(read) < 16 * MIB


def test_a_local_list_that_is_too_long_is_not_read(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MOST_BYTES", 10)
    (tmp_path / "list").write_text("https://h.example/a\n")
    with pytest.raises(InputError, match="has more than 10 bytes"):
        list_files(client, CrawlListing(str(tmp_path / "list"), "/d"))


# SQL


def test_statements_in_a_dump_are_text() -> None:
    columns = columns_of("CREATE TABLE `t` (`a` int, `b` blob);")
    line = rb"INSERT INTO `t` VALUES (1,'x\'); DROP TABLE pages; --'),(2,'`; DELETE FROM t; ''');"
    found = parse_insert(line, columns, ("a", "b"))
    assert found.rows == [("1", "x'); DROP TABLE pages; --"), ("2", "`; DELETE FROM t; '")]
    assert found.errors == []
    assert parse_insert(b"DROP TABLE pages;", columns, ("a", "b")).rows == []


def test_what_another_run_wrote_into_the_lock_is_no_condition(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.sql import Row

    from crossic_etl.tables import Tables
    from crossic_etl.tables.lock import Lock

    monkeypatch.setattr("socket.gethostname", lambda: "a\\', owner = 'b")
    first, second = (Lock(Tables(spark, str(tmp_path / "it's `a` root"))) for _ in range(2))
    first.acquire(wait=False)
    seen = Row("owner", "beat")
    assert not second._take(seen("nobody' OR 'a' = 'a", 1))
    row = first._read()
    assert row is not None and row.owner == first.owner
    assert row.who == f"process {os.getpid()} on a\\', owner = 'b"
    first.release()
    row = first._read()
    assert row is not None and second._take(row)
    second.release()


# Paths


NAMES = [
    "../x", "a/../../x", "/etc/x", "//etc/x", "..%2fx", "%2e%2e/x", "%2E%2E%2Fx", "%252e%252e/x",
    "a%2f..%2f..%2fx", "..\\x", "..%5cx", "file:///etc/x", "~/x", "a::file:/etc/x", "%00", "a%0ab",
    "a%1b[2Jb", "C:/x", ".", "./x", "a/./x",
]  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, *(f"https://h.example/{name}" for name in NAMES)])
@pytest.mark.parametrize("base", ["https://h.example/", "https://h.example"])
def test_files_of_a_list_go_below_their_folder(
    client: Client, tmp_path: Path, name: str, base: str
) -> None:
    folder = tmp_path / "d"
    (tmp_path / "list").write_text(name)
    try:
        (file,) = list_files(client, CrawlListing(str(tmp_path / "list"), str(folder), base))
    except InputError as error:
        assert "no path of a file" in str(error)
        return
    place = Location.of(file.path)
    assert place.filesystem.protocol[0] == "file" and place.path == file.path
    for path in (place.path, place.part.path):
        assert Path(os.path.normpath(path)).is_relative_to(folder)
        assert path.isprintable()


def test_files_of_a_mirror_have_the_names_of_dumps(server: MirrorServer, tmp_path: Path) -> None:
    entry = {"size": 1, "url": "https://h.example/x", "sha1": "ab"}
    good = "enwiki-20260101-langlinks.sql.gz"
    hostile = [f"../{good}", f"/etc/{good}", f"{good}/../../x", f"%2e%2e%2f{good}", f"{good}\n"]
    files = dict.fromkeys(hostile, entry)
    prefix = "enwiki-20260101-"
    pages = {f"{prefix}pages-articles-multistream.xml.bz2": entry, "../x.xml.bz2": entry}
    jobs = {
        "langlinkstable": files | {good: entry},
        "pagepropstable": {f"{prefix}page_props.sql.gz": entry},
        "articlesmultistreamdump": pages,
    }
    status = {"jobs": {name: {"status": "done", "files": files} for name, files in jobs.items()}}
    path = "/enwiki/20260101/dumpstatus.json"
    server.files[path] = json.dumps(status).encode()
    (tmp_path / "my.yaml").write_text(
        f"root: r\nlanguages: [th]\nwikipedia: {{dumps: {tmp_path}/d, date: '20260101'}}\n"
        f"download: {{mirror: '{server.url}', contact: me@example.org}}\n"
    )
    config = load_config(tmp_path / "my.yaml")
    client = Client(config.download, print)
    (dump,) = Mirror(client, config.wikipedia, ["en"]).dumps_of(config.wikipedia)
    folder = f"{tmp_path}/d/enwiki/20260101"
    assert {file.path for file in dump.files} == {
        f"{folder}/{good}", f"{folder}/{prefix}page_props.sql.gz",
        f"{folder}/{prefix}pages-articles-multistream.xml.bz2",
    }  # fmt: skip
    assert all(file.url.startswith(f"{server.url}/enwiki/20260101/{prefix}") for file in dump.files)
    del jobs["langlinkstable"][good]
    server.files[path] = json.dumps(status).encode()
    with pytest.raises(IncompleteError):
        Mirror(client, config.wikipedia, ["en"]).dumps_of(config.wikipedia)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "train/../../x", "train/.."])
def test_files_of_an_export_lie_within_it(name: str) -> None:
    manifest = with_tokenizer()
    split = manifest.splits["train"]
    file = replace(split.files[0], path=name)
    hostile = replace(manifest, splits={"train": replace(split, files=(file,))})
    with pytest.raises(ManifestError, match="is outside the export"):
        parse_manifest(to_json(hostile))


# Credentials


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (f"root: s3a://key:{SECRET}@bucket/crossic", "root"),
        (f"wikipedia: {{dumps: 'https://:{SECRET}@host/dumps'}}", "wikipedia.dumps"),
        (f"download: {{mirror: 'https://me:{SECRET}@host'}}", "download.mirror"),
        (f"download: {{crawl: [{{listing: 'https://h/l?X-Amz-Signature={SECRET}', to: d}}]}}",
         "download.crawl.listing"),
        (f"crawl: {{sources: [{{path: 'https://h/a?sv=1&sig={SECRET}'}}]}}", "crawl.sources.path"),
        (f"fs.s3a.secret.key: {SECRET}", "fs.s3a.secret.key"),
        (f"hf_token: {SECRET}", "hf_token"),
    ],
)  # fmt: skip
def test_a_secret_in_the_configuration_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, named: str
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"languages: [th]\n{line}\n" + ("" if "root:" in line else "root: r\n"))
    for main in (run, download):
        assert main(["--config", str(path), "--dry-run"]) == 1
        out, err = capsys.readouterr()
        assert err == f"error: {path}:2: {named}: looks like a secret; {ANYWHERE}\n"
        assert SECRET not in out + err


@pytest.mark.parametrize(
    "line",
    [
        "root: s3a://bucket/crossic@2", "root: /data/sort_key=3/crossic",
        "root: hdfs://host:8020/a@b", "root: abfss://container@account.dfs.example/a",
        "{root: r, tokenizer: org/token-key, split_token: '<|quad_end|>'}",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_taken(tmp_path: Path, line: str) -> None:
    (tmp_path / "my.yaml").write_text(line)
    assert load_config(tmp_path / "my.yaml", ["languages=[th]"]).root


def test_training_and_exports_take_no_secrets_either(tmp_path: Path) -> None:
    (tmp_path / "training.yaml").write_text(f"hf_token: {SECRET}\n")
    for action in (
        lambda: load_training_config(tmp_path / "training.yaml"),
        lambda: ExportRequest(f"s3://key:{SECRET}@bucket/export", "en-first"),
    ):
        with pytest.raises(ConfigError, match="looks like a secret") as refused:
            action()
        assert SECRET not in str(refused.value)


def test_credentials_in_a_list_of_urls_are_used_and_not_shown(
    server: MirrorServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"/a.parquet?X-Amz-Signature={SECRET}"
    server.files[path] = b"content"
    host = server.url.removeprefix("http://")
    address = f"http://me:{SECRET}@{host}"
    (tmp_path / "list").write_text(f"{address}{path}\n")
    (tmp_path / "gone").write_text(f"{address}/b.parquet?token={SECRET}\n")
    (tmp_path / "wrong").write_text(f"http://me:{SECRET}@/b.parquet?token={SECRET}\n")
    shown: list[str] = []

    def run(listing: str, *arguments: str) -> int:
        (tmp_path / "my.yaml").write_text(
            "root: r\nlanguages: [th]\ndownload:\n  contact: me@example.org\n  tries: 1\n"
            f"  crawl: [{{listing: '{tmp_path / listing}', to: '{tmp_path / 'd'}'}}]\n"
        )
        status = download(["--config", str(tmp_path / "my.yaml"), *arguments])
        shown.extend(capsys.readouterr())
        return status

    assert run("list", "--dry-run") == 0
    assert f"http://{host}/a.parquet?… -> {tmp_path}/d/a.parquet" in shown[0]
    assert run("list") == 0
    assert (tmp_path / "d" / "a.parquet").read_bytes() == b"content"
    assert server.requests[0][1]["Authorization"].startswith("Basic ")
    assert (run("gone"), run("wrong")) == (1, 1)
    notes = (tmp_path / "d" / ".a.parquet.json").read_text()
    assert json.loads(notes)["url"] == f"http://{host}/a.parquet?…"
    assert SECRET not in notes + "".join(shown)


# What is made: pages, scripts, folders


@pytest.mark.slow
def test_words_in_a_plot_cannot_end_its_script(tmp_path: Path) -> None:
    class Tags(HTMLParser):
        def __init__(self, page: str) -> None:
            super().__init__()
            self.opened: list[str] = []
            self.feed(page)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.opened.append(tag)

    def tags(title: str, lang: str) -> list[str]:
        found: dict[str, Calibration] = calibrate({lang: [1.5, 1.6]}, {lang: [1.1]}, 0.9)
        write_plot(found, title, tmp_path / "plot.html")
        return Tags((tmp_path / "plot.html").read_text(encoding="utf-8")).opened

    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    hostile = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"
    assert tags(hostile, hostile) == tags("a", "ja")


@pytest.mark.parametrize("key", ["partition", "account"])
def test_a_setting_adds_no_line_to_a_batch_script(key: str) -> None:
    for value in ("gpu\ntouch made", "gpu --wrap=x", ""):
        with pytest.raises(ConfigError, match=f"submit.slurm.{key}"):
            Slurm(**{key: value})  # type: ignore[arg-type]
    assert getattr(Slurm(**{key: "gpu-a100_4"}), key) == "gpu-a100_4"  # type: ignore[arg-type]


def test_a_widget_of_the_quickstart_adds_no_command() -> None:
    cells = json.loads((ROOT / "notebooks" / "04_databricks_quickstart.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    (source,) = [source for source in sources if "run_line_magic" in source]
    said: list[tuple[str, str]] = []
    wheel = "/Volumes/a.whl'; touch made; '"

    class Databricks:
        def __getattr__(self, _: str) -> Databricks:
            return self

        def __call__(self, *_: str) -> None: ...

        def get(self, _: str) -> str:
            return wheel

        def run_line_magic(self, name: str, line: str) -> None:
            said.append((name, line))

    here = Databricks()
    exec(source, {"dbutils": here, "get_ipython": lambda: here})
    ((name, line),) = said
    assert (name, shlex.split(line)) == ("pip", ["install", f"{wheel}[notebooks]"])


def test_the_folder_of_managed_tables_cannot_be_laid_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    first, second = (Path(local_settings(1)["spark.sql.warehouse.dir"]) for _ in range(2))
    assert first != second and {first.parent, second.parent} == {tmp_path}
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
