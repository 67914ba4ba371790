"""Packs web documents (the bundled sample or a test's) into files in the form of a crawl's."""

from __future__ import annotations

import argparse
import gzip
import json
from base64 import b32encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa
import pyarrow.parquet as pq

from crossic_etl.sample.build import read_rows

PACKS = ("fineweb", "dolma", "wet")
SAMPLE_DUMP = "SAMPLE-2026-02"
EVALUATION = "evaluation.jsonl"
BLOCKED_URLS = "blocked_urls.txt"
FINEWEB_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("text", "id", "dump", "url", "date", "file_path")),
        ("language", pa.string()),
        ("language_score", pa.float64()),
        ("token_count", pa.int64()),
    ]
)
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class WebDocument:
    """A web document. A None is a field that the crawl left empty.

    Fields up to ``file`` are those of `kernels.crawl.records.RawDocument`. A record id that isn't
    given is derived from the url. ``name`` is the sample file with the text. ``subject`` is the
    title of the English sample article on the same subject, or empty. ``pack`` is the one of
    `PACKS` that the document goes into.
    """

    text: str
    url: str | None
    lang: str | None = "en"
    lang_score: float | None = 0.95
    source_id: str | None = None
    date: str | None = "2026-01-10T06:00:00Z"
    dump: str | None = SAMPLE_DUMP
    file: str | None = f"crawl/{SAMPLE_DUMP}/warc/sample-00000.warc.gz"
    pack: str = "fineweb"
    subject: str = ""
    name: str = ""

    @property
    def record_id(self) -> str | None:
        """The given id, or one derived from the url: ``<urn:uuid:…>``."""
        if self.source_id is not None or self.url is None:
            return self.source_id
        return f"<urn:uuid:{uuid5(NAMESPACE_URL, self.url)}>"


def load_web_sample() -> list[WebDocument]:
    """The bundled web documents in the order of ``documents.tsv``, copies and traps included."""
    folder = files("crossic_etl.sample") / "web"
    return [
        WebDocument(
            text=(folder / row["file"]).read_text("utf-8").rstrip("\n"),
            url=row["url"],
            lang=row["label"],
            date=row["date"],
            pack=row["pack"],
            subject=row["subject"],
            name=row["file"],
        )
        for row in read_rows(folder / "documents.tsv")
    ]


def build_web_sample(out: Path) -> list[Path]:
    """Writes the bundled crawl under ``out``; the bytes are the same each time.

    It has ``fineweb/{label}-000.parquet`` for each language label,
    ``dolma/documents-000.jsonl.gz`` and ``wet/sample-000.warc.wet.gz``. Beside them are the
    evaluation file and the list of blocked addresses. Returns the paths, the crawl's first.
    """
    packed: dict[tuple[str, str], list[WebDocument]] = {}
    for document in load_web_sample():
        label = document.lang if document.pack == "fineweb" else ""
        packed.setdefault((document.pack, label or ""), []).append(document)
    writers: dict[str, tuple[Callable[[Sequence[WebDocument], Path], Path], str]] = {
        "fineweb": (write_fineweb, "fineweb/{}-000.parquet"),
        "dolma": (write_dolma, "dolma/documents-000.jsonl.gz"),
        "wet": (write_wet, "wet/sample-000.warc.wet.gz"),
    }
    paths = []
    for (pack, label), documents in sorted(packed.items()):
        write, name = writers[pack]
        paths.append(write(documents, out / name.format(label)))
    return [*paths, *(_copy(name, out) for name in (EVALUATION, BLOCKED_URLS))]


def write_fineweb(documents: Sequence[WebDocument], path: Path) -> Path:
    """Writes Parquet in FineWeb's schema; ``token_count`` is a quarter of the characters."""
    rows = [
        {
            "text": document.text,
            "id": document.record_id,
            "dump": document.dump,
            "url": document.url,
            "date": document.date,
            "file_path": document.file,
            "language": document.lang,
            "language_score": document.lang_score,
            "token_count": len(document.text) // _CHARACTERS_PER_TOKEN,
        }
        for document in documents
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, FINEWEB_SCHEMA), path)
    return path


def write_dolma(documents: Sequence[WebDocument], path: Path) -> Path:
    """Writes JSON Lines in the form of Dolma's web sources, gzipped if the name ends in ``.gz``."""
    lines = [json.dumps(_dolma_row(document), ensure_ascii=False) + "\n" for document in documents]
    data = "".join(lines).encode()
    return _write(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _dolma_row(document: WebDocument) -> dict[str, object]:
    return {
        "id": document.record_id,
        "text": document.text,
        "source": document.dump,
        "created": document.date,
        "added": document.date,
        "metadata": {
            "url": document.url,
            "language": document.lang,
            "language_score": document.lang_score,
            "cc_segment": document.file,
        },
    }


def write_wet(documents: Sequence[WebDocument], path: Path) -> Path:
    """Writes WARC 1.0: a warcinfo and the conversion records, each as its own gzip member.

    A WET file has no field for ``lang_score`` and ``file``. Raises ``ValueError`` where documents
    come from several dumps, since only the warcinfo names the dump.
    """
    dumps = {document.dump for document in documents}
    if len(dumps) > 1:
        raise ValueError(f"a WET file is of one dump, not of {', '.join(sorted(map(str, dumps)))}")
    records = [_warcinfo(path.name, next(iter(dumps), None)), *map(_conversion, documents)]
    return _write(path, b"".join(gzip.compress(record, mtime=0) for record in records))


def _warcinfo(name: str, dump: str | None) -> bytes:
    fields = {"isPartOf": dump, "description": "Bundled sample", "format": "WARC File Format 1.0"}
    headers = {
        "WARC-Type": "warcinfo",
        "WARC-Date": "2026-01-31T00:00:00Z",
        "WARC-Filename": name,
        "WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, name)}>",
        "Content-Type": "application/warc-fields",
    }
    return _record(headers, _header_lines(fields.items()).encode())


def _conversion(document: WebDocument) -> bytes:
    block = document.text.encode()
    headers = {
        "WARC-Type": "conversion",
        "WARC-Target-URI": document.url,
        "WARC-Date": document.date,
        "WARC-Record-ID": document.record_id,
        "WARC-Block-Digest": "sha1:" + b32encode(sha1(block).digest()).decode(),
        "WARC-Identified-Content-Language": document.lang,
        "Content-Type": "text/plain",
    }
    return _record(headers, block)


def _record(headers: Mapping[str, str | None], block: bytes) -> bytes:
    lines = _header_lines([*headers.items(), ("Content-Length", str(len(block)))])
    return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def _header_lines(fields: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in fields if value is not None)


def _copy(name: str, out: Path) -> Path:
    return _write(out / name, (files("crossic_etl.sample") / "web" / name).read_bytes())


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the bundled sample's crawl into the folder named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m crossic_etl.sample.build_web", description=main.__doc__
    )
    parser.add_argument("out", type=Path, help="folder that fineweb, dolma and wet go into")
    given = parser.parse_args(arguments)
    paths = build_web_sample(given.out)
    print(f"{len(paths)} files in {given.out}")


if __name__ == "__main__":
    main()
