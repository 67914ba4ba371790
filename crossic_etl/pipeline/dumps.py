"""Reads the dumps once and stages their rows; no other step reads raw dumps."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession

from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.damage import stage_readable
from crossic_etl.inputs.dumps import (
    WikiFiles,
    fingerprint_of,
    read_plain_text,
    read_records,
    read_sql,
)
from crossic_etl.inputs.files import read_bytes
from crossic_etl.inputs.sites import Sites
from crossic_etl.kernels.wikitext import Options
from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.chunks import make_chunks, stage_chunks
from crossic_etl.transforms.frames import union
from crossic_etl.transforms.links import langlinks_table, link_shared_items, page_props_table
from crossic_etl.transforms.pages import (
    extract_pages,
    import_plain_text,
    salvage_pages,
)
from crossic_etl.transforms.sql import SqlTable, parse_sql, salvage_sql

log = logging.getLogger(__name__)

# Ours, for a chunk: some 20 GB of XML as bzip2, which take two cores ten minutes.
LEAST_BYTES = 2**32


def stage_pages(
    tables: Tables,
    wikis: Sequence[WikiFiles],
    sites: Sites,
    wikipedia: Wikipedia,
    input_values: Sequence[object],
    known: DataFrame | None = None,
) -> DataFrame:
    """Stages every wiki's pages, redirects, properties and rejects; ``known`` pages get ids only.

    A chunk has some files. ``input_values`` and the files determine the staged rows:
    ``input_values`` are the settings, and the version of the table that ``known`` is from.
    """
    plain = wikipedia.plain_text
    texts = {files.lang: plain[files.lang] for files in wikis if files.lang in plain}
    chunks = make_chunks(_sizes(wikis, texts), LEAST_BYTES)
    limit, on_damage = wikipedia.max_page_bytes, wikipedia.on_damage
    options = wikipedia.text_options

    def stage(paths: Sequence[str], chunk: Chunk | None) -> DataFrame:
        def build(damaged: frozenset[str]) -> DataFrame:
            frames = _dump_frames(tables.spark, part, sites, limit, options, damaged, known)
            return union([*frames, *_text_frames(tables.spark, of_part, sites)])

        part = [files.only(paths) for files in wikis]
        of_part = {lang: path for lang, path in texts.items() if path in paths}
        return stage_readable(tables, "pages", build, on_damage, chunk)

    _log_content("pages", wikis)
    _log_missing("pages", "page_props", wikis)
    of_files = [fingerprint_of(wikis), [(f.lang, f.date) for f in wikis], texts]
    return stage_chunks(tables, "pages", [*input_values, on_damage, *of_files], chunks, stage)


def _sizes(wikis: Sequence[WikiFiles], texts: Mapping[str, str]) -> dict[str, int]:
    """Bytes of each file of pages and properties, and of each folder of plain text."""
    sizes: dict[str, int] = {}
    for files in wikis:
        named = [path for path in (*files.pages, files.page_props) if path]
        sizes |= {path: files.size_of(path) for path in named}
        if files.lang in texts:
            others = files.stamps.keys() - {*named, files.langlinks}
            sizes[texts[files.lang]] = sum(map(files.size_of, others))
    return sizes


def _dump_frames(
    spark: SparkSession,
    wikis: Sequence[WikiFiles],
    sites: Sites,
    limit: int,
    options: Options,
    damaged: frozenset[str],
    known: DataFrame | None,
) -> list[DataFrame]:
    frames = []
    whole = [files.without(damaged) for files in wikis]
    if any(files.pages for files in whole):
        frames.append(extract_pages(read_records(spark, whole), sites, limit, options, known))
    for files in wikis:
        for path in sorted(damaged & set(files.pages)):
            content = read_bytes(spark, path)
            frames.append(salvage_pages(content, sites[files.lang], files.date, limit, options))
        if files.page_props:
            table = page_props_table(files.lang)
            frames.append(_read_sql(spark, files.page_props, table, damaged))
    return frames


def _text_frames(spark: SparkSession, texts: Mapping[str, str], sites: Sites) -> list[DataFrame]:
    return [
        import_plain_text(read_plain_text(spark, path), sites[lang]) for lang, path in texts.items()
    ]


def stage_links(
    tables: Tables, wikis: Sequence[WikiFiles], sites: Sites, pages: DataFrame, on_damage: str
) -> DataFrame:
    """Stages every wiki's edges, from its ``langlinks`` and from its pages' Wikidata items."""
    english = {"en": sites["en"]}
    others = {files.lang: sites[files.lang] for files in wikis if files.lang != "en"}

    def build(damaged: frozenset[str]) -> DataFrame:
        frames = [link_shared_items(pages, list(others))]
        for files in wikis:
            if files.langlinks:
                targets = others if files.lang == "en" else english
                table = langlinks_table(files.lang, files.date, targets)
                frames.append(_read_sql(tables.spark, files.langlinks, table, damaged))
        return union(frames)

    _log_missing("links", "langlinks", wikis)
    return stage_readable(tables, "links", build, on_damage)


def _log_content(job: str, wikis: Sequence[WikiFiles]) -> None:
    """Logs which wikis' pages are of the content service."""
    if langs := [files.lang for files in wikis if files.is_content]:
        log.info("%s: dumps of the content service of %s", job, ", ".join(langs))


def _log_missing(job: str, table: str, wikis: Sequence[WikiFiles]) -> None:
    """Logs which wikis lack a dump of a table, or have that of another date than their pages.

    That is no error, since a dump may not be wanted.
    """
    missing = [files.lang for files in wikis if not files.sql_of(table)]
    if missing:
        log.info("%s: no %s dump, or an empty one, of %s", job, table, ", ".join(missing))
    for files in wikis:
        if (path := files.sql_of(table)) and f"-{files.date}-" not in path.rpartition("/")[2]:
            name = path.rpartition("/")[2]
            log.info("%s: %s for the pages of %s %s", job, name, files.lang, files.date)
    unpaired = [files.lang for files in wikis if files.is_content and not files.sql_of(table)]
    if unpaired:
        log.warning(
            "%s: the content service has no %s: run download, or put those of %s into the folders "
            "of the older dumps, {wiki}/{date}", job, table, ", ".join(unpaired),
        )  # fmt: skip


def _read_sql(
    spark: SparkSession, path: str, table: SqlTable, damaged: frozenset[str]
) -> DataFrame:
    if path in damaged:
        return salvage_sql(read_bytes(spark, path), table)
    lines, columns = read_sql(spark, path, table.columns)
    return parse_sql(lines, columns, table)
