from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from crossic_etl.kernels.crawl.quality import quality_reason
from crossic_etl.kernels.crawl.records import (
    FIELDS,
    BrokenRecord,
    RawDocument,
    parse_json_line,
    read_json_lines,
    read_wet,
)
from crossic_etl.kernels.crawl.url_blocks import UrlBlockList
from crossic_etl.kernels.dedup.minhash import band_keys
from crossic_etl.kernels.text.contamination import NgramIndex, read_evaluation
from crossic_etl.kernels.text.language_id import crawl_language, identify
from crossic_etl.kernels.text.normalize import clean_text, document_id
from crossic_etl.sample.build import SAMPLE_LANGUAGES, load_sample
from crossic_etl.sample.build_web import (
    FINEWEB_SCHEMA,
    PACKS,
    WebDocument,
    build_web_sample,
    load_web_sample,
    write_dolma,
    write_fineweb,
    write_wet,
)
from tests.support.signatures import jaccard_estimate, signature

FOLDER = files("crossic_etl.sample") / "web"
SUBJECTS = {
    "Lighthouse", "Bread", "Bridge", "Bicycle", "Rain", "Honey", "Compass",
    "Paper", "Clock", "Tea", "Volcano", "Library", "Moon", "Silk",
}  # fmt: skip
EXACT_COPIES = {
    ("en/honey-buying-guide.txt", "en/honey-buying-guide.txt"),
    ("en/library-old-catalogue.txt", "en/library-old-catalogue.txt"),
    ("th/cha-withi-chong.txt", "th/cha-withi-chong.txt"),
    ("en/rain-garden-barrel.txt", "traps/rain-in-capitals.txt"),
}
NEAR_COPIES = {
    ("en/lighthouse-visit.txt", "traps/lighthouse-visit-last-year.txt"),
    ("traps/lighthouse-visit-last-year.txt", "traps/lighthouse-visit-leaflet.txt"),
    ("ja/tokei-shuri.txt", "traps/tokei-shuri-shiten.txt"),
}
MIN_CHARS = 200
BARE = WebDocument("猫が鳴く。", None, None, None, date=None, file=None)


@pytest.fixture
def evaluation() -> NgramIndex:
    return NgramIndex.of(
        read_evaluation("evaluation.jsonl", (FOLDER / "evaluation.jsonl").read_bytes())
    )


@pytest.fixture
def blocked() -> UrlBlockList:
    return UrlBlockList.of((FOLDER / "blocked_urls.txt").read_text("utf-8").splitlines())


@cache
def by_name() -> dict[str, WebDocument]:
    """The last document that has each file's text."""
    return {document.name: document for document in load_web_sample()}


def found_language(text: str) -> str:
    lang, score = identify([text])[0]
    return lang if score >= 0.65 else "und"


def raw(document: WebDocument, pack: str, file: str = "") -> RawDocument:
    """What a reader finds of a document in a file of this name."""
    is_wet = pack == "wet"
    return RawDocument(
        document.text,
        document.url,
        document.record_id,
        document.date,
        document.lang,
        None if is_wet else document.lang_score,
        document.dump,
        file if is_wet else document.file,
    )


def parquet_documents(path: Path) -> list[RawDocument | BrokenRecord]:
    rows = pq.read_table(path).to_pylist()
    return [parse_json_line(json.dumps(row).encode(), FIELDS["fineweb"]) for row in rows]


def drop_reason(document: WebDocument, index: NgramIndex, blocked: UrlBlockList) -> str | None:
    lang = found_language(document.text)
    if blocked.reason(document.url):
        return "blocked"
    if len(document.text) < MIN_CHARS:
        return "length"
    if lang not in SAMPLE_LANGUAGES:
        return "language"
    return quality_reason(document.text, lang) or (
        "contamination" if index.overlap(document.text).hits else None
    )


def test_the_crawl_is_built_the_same_twice(tmp_path: Path) -> None:
    first, second = build_web_sample(tmp_path / "a"), build_web_sample(tmp_path / "b")
    assert [str(path.relative_to(tmp_path / "a")) for path in first] == [
        "dolma/documents-000.jsonl.gz",
        "fineweb/arb-000.parquet",
        "fineweb/en-000.parquet",
        "fineweb/jpn-000.parquet",
        "fineweb/kor-000.parquet",
        "fineweb/por-000.parquet",
        "fineweb/spa-000.parquet",
        "fineweb/tha-000.parquet",
        "wet/sample-000.warc.wet.gz",
        "evaluation.jsonl",
        "blocked_urls.txt",
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_every_document_is_read_back_whole(tmp_path: Path) -> None:
    dolma, *fineweb, wet, _, _ = build_web_sample(tmp_path)
    found = {
        "dolma": list(read_json_lines(dolma.read_bytes(), dolma.name, FIELDS["dolma"])),
        "fineweb": [document for path in fineweb for document in parquet_documents(path)],
        "wet": list(read_wet(wet.read_bytes(), wet.name)),
    }
    for pack in PACKS:
        expected = [raw(d, pack, wet.name) for d in load_web_sample() if d.pack == pack]
        if pack == "fineweb":
            expected.sort(key=lambda document: document.lang or "")
        assert found[pack] == expected


def test_parquet_has_the_schema_of_fineweb(tmp_path: Path) -> None:
    path = write_fineweb([BARE], tmp_path / "new" / "a.parquet")
    table = pq.read_table(path)
    assert table.schema.equals(FINEWEB_SCHEMA)
    assert table.to_pylist() == [
        {
            "text": "猫が鳴く。", "id": None, "dump": "SAMPLE-2026-02", "url": None, "date": None,
            "file_path": None, "language": None, "language_score": None, "token_count": 1,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_of_one_document(tmp_path: Path, name: str) -> None:
    path = write_dolma([BARE], tmp_path / name)
    found = list(read_json_lines(path.read_bytes(), name, FIELDS["dolma"]))
    assert found == [RawDocument("猫が鳴く。", dump="SAMPLE-2026-02", file=name)]


def test_a_wet_file_of_documents_that_lack_everything(tmp_path: Path) -> None:
    path = write_wet([BARE], tmp_path / "a.warc.wet.gz")
    found = list(read_wet(path.read_bytes(), path.name))
    assert found == [RawDocument("猫が鳴く。", dump="SAMPLE-2026-02", file="a.warc.wet.gz")]


def test_files_without_documents(tmp_path: Path) -> None:
    assert parquet_documents(write_fineweb([], tmp_path / "a.parquet")) == []
    assert gzip.decompress(write_dolma([], tmp_path / "a.jsonl.gz").read_bytes()) == b""
    wet = write_wet([], tmp_path / "a.warc.wet.gz").read_bytes()
    assert wet and list(read_wet(wet, "a")) == []


def test_a_wet_file_is_of_one_dump(tmp_path: Path) -> None:
    documents = [WebDocument("a", "u", dump="D1"), WebDocument("b", "v", dump="D2")]
    with pytest.raises(ValueError, match="of one dump, not of D1, D2"):
        write_wet(documents, tmp_path / "a.warc.wet.gz")


def test_fastwarc_reads_the_wet_and_agrees_with_its_digests(tmp_path: Path) -> None:
    data = build_web_sample(tmp_path)[-3].read_bytes()
    found = [
        (record.record_type, record.verify_block_digest())
        for record in ArchiveIterator(BytesIO(data), parse_http=False)
    ]
    n_wet = sum(document.pack == "wet" for document in load_web_sample())
    assert found[0][0] == WarcRecordType.warcinfo
    assert found[1:] == [(WarcRecordType.conversion, True)] * n_wet


def test_each_wet_record_is_a_gzip_member_of_its_own(tmp_path: Path) -> None:
    path = write_wet([WebDocument("a", "u"), WebDocument("b", "v")], tmp_path / "a.warc.wet.gz")
    members = path.read_bytes().split(b"\x1f\x8b\x08")[1:]
    unpacked = [gzip.decompress(b"\x1f\x8b\x08" + member) for member in members]
    assert [re.findall(rb"WARC-Type: (\w+)", member) for member in unpacked] == [
        [b"warcinfo"],
        [b"conversion"],
        [b"conversion"],
    ]


def test_a_record_id_follows_from_the_url_or_is_given() -> None:
    assert WebDocument("a", "https://a.example/").record_id == (
        "<urn:uuid:44cc82eb-7cb9-5fdc-b087-010025d94c3f>"
    )
    assert WebDocument("a", "https://a.example/", source_id="7").record_id == "7"
    assert WebDocument("a", None).record_id is None


def test_every_text_is_in_the_index_and_every_url_once() -> None:
    documents = load_web_sample()
    texts = {
        f"{folder.name}/{file.name}"
        for folder in FOLDER.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
    }
    assert {document.name for document in documents} == texts
    assert len({document.url for document in documents}) == len(documents) == 83
    assert all(re.match(r"https://[a-z0-9.-]+\.example/", d.url or "") for d in documents)
    assert all(clean_text(document.text) == document.text for document in documents)


def test_two_english_documents_are_on_each_subject_of_the_sample_wiki() -> None:
    subjects = Counter(d.subject for d in by_name().values() if d.name.startswith("en/"))
    unrelated = subjects.pop("")
    assert subjects == dict.fromkeys(SUBJECTS, 2)
    assert unrelated == 7
    assert subjects.keys() <= {page.title for page in load_sample("en").pages}


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES[1:])
def test_each_language_has_related_and_unrelated_documents(lang: str) -> None:
    subjects = [d.subject for d in by_name().values() if d.name.startswith(f"{lang}/")]
    related = list(filter(None, subjects))
    assert (len(subjects), len(related), len(set(related))) == (6, 4, 4)
    assert set(related) <= SUBJECTS


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_documents_are_of_their_language_and_good_enough(
    lang: str, evaluation: NgramIndex, blocked: UrlBlockList
) -> None:
    documents = [d for d in load_web_sample() if d.name.startswith(f"{lang}/")]
    is_spaced = lang not in ("ja", "th")
    for document in documents:
        size = len(document.text.split()) if is_spaced else len(document.text)
        assert (120 if is_spaced else 400) <= size <= (300 if is_spaced else 900), document.name
        assert found_language(document.text) == lang, document.name
        assert drop_reason(document, evaluation, blocked) is None, document.name


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_the_only_wrong_label_of_a_good_document_is_the_stated_one(lang: str) -> None:
    documents = [d for d in load_web_sample() if d.name.startswith(f"{lang}/")]
    wrong = {d.name: d.lang for d in documents if crawl_language(d.lang) != lang}
    assert wrong == ({"pt/bicicleta-trabalho.txt": "spa"} if lang == "pt" else {})


def test_each_format_has_documents_of_each_language() -> None:
    for lang in SAMPLE_LANGUAGES:
        packs = {d.pack for d in load_web_sample() if d.name.startswith(f"{lang}/")}
        assert packs == set(PACKS), lang


def test_the_exact_copies_are_the_stated_ones() -> None:
    names = defaultdict(list)
    for document in load_web_sample():
        names[document_id(document.text)].append(document.name)
    assert {tuple(sorted(found)) for found in names.values() if len(found) > 1} == EXACT_COPIES


def test_the_near_copies_are_the_stated_ones() -> None:
    distinct = {document_id(d.text): d for d in reversed(load_web_sample())}.values()
    known = sorted((document.name, signature(document.text)) for document in distinct)
    similar = {
        (a, b): jaccard_estimate(x, y)
        for i, (a, x) in enumerate(known)
        for b, y in known[i + 1 :]
        if jaccard_estimate(x, y) > 0.2
    }
    near = {pair: score for pair, score in similar.items() if score >= 0.8}
    assert near.keys() == NEAR_COPIES
    assert min(near.values()) >= 0.85
    ends = ("en/lighthouse-visit.txt", "traps/lighthouse-visit-leaflet.txt")
    assert similar.keys() - near.keys() == {ends}


@pytest.mark.parametrize(("a", "b"), sorted(NEAR_COPIES))
def test_near_copies_meet_in_a_band(a: str, b: str) -> None:
    keys = [set(band_keys(signature(by_name()[name].text))) for name in (a, b)]
    assert keys[0] & keys[1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("short-notice", "length"),
        ("cheap-tickets", "max_top_ngrams"),
        ("wanderung-am-see", "language"),
        ("quiz-night-answers", "contamination"),
        ("casino-recipes", "blocked"),
        ("rain-in-capitals", None),
        ("lighthouse-visit-last-year", None),
        ("lighthouse-visit-leaflet", None),
        ("tokei-shuri-shiten", None),
    ],
)
def test_a_trap_is_dropped_for_its_reason_and_no_other(
    name: str, reason: str | None, evaluation: NgramIndex, blocked: UrlBlockList
) -> None:
    document = by_name()[f"traps/{name}.txt"]
    text, lang = document.text, found_language(document.text)
    assert drop_reason(document, evaluation, blocked) == reason
    broken = {
        "blocked": blocked.reason(document.url) is not None,
        "language": lang != crawl_language(document.lang),
        "contamination": evaluation.overlap(text).hits > 0,
        "quality": reason != "length" and quality_reason(text, lang) is not None,
        "length": len(text) < MIN_CHARS,
    }
    found = {kind for kind, is_broken in broken.items() if is_broken}
    assert found == ({"quality" if reason == "max_top_ngrams" else reason} - {None})


def test_the_german_page_fails_as_english_too() -> None:
    page = by_name()["traps/wanderung-am-see.txt"]
    assert (found_language(page.text), page.lang) == ("de", "en")
    assert quality_reason(page.text, "en") == "min_common_words"


def test_the_quoted_question_is_one_run(evaluation: NgramIndex) -> None:
    page = by_name()["traps/quiz-night-answers.txt"]
    assert evaluation.overlap(page.text).longest == 120


@pytest.mark.parametrize("lang", SAMPLE_LANGUAGES)
def test_no_sample_article_is_contaminated(lang: str, evaluation: NgramIndex) -> None:
    pages = load_sample(lang).pages
    assert [page.title for page in pages if evaluation.overlap(page.text).hits] == []


def test_what_is_left_in_all(evaluation: NgramIndex, blocked: UrlBlockList) -> None:
    left = {d.text: d for d in load_web_sample() if not drop_reason(d, evaluation, blocked)}
    later = {pair[1] for pair in EXACT_COPIES | NEAR_COPIES if pair[0] != pair[1]}
    kept = [d for d in left.values() if d.name not in later]
    languages = Counter(found_language(document.text) for document in kept)
    assert languages == {"en": 35, **dict.fromkeys(SAMPLE_LANGUAGES[1:], 6)}
