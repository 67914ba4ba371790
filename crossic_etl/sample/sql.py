"""The SQL dumps of a small wiki, in mysqldump's form."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROWS_PER_INSERT = 25
SqlValue = str | int | float | None

_HEAD = """\
-- MySQL dump 10.19  Distrib 10.6, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: {database}
-- ------------------------------------------------------
/*!40101 SET NAMES utf8mb4 */;

--
-- Table structure for table `{table}`
--

DROP TABLE IF EXISTS `{table}`;
CREATE TABLE `{table}` (
{columns}
) ENGINE=InnoDB DEFAULT CHARSET=binary ROW_FORMAT=COMPRESSED;

--
-- Dumping data for table `{table}`
--

/*!40000 ALTER TABLE `{table}` DISABLE KEYS */;
"""
_TAIL = """\
/*!40000 ALTER TABLE `{table}` ENABLE KEYS */;

-- Dump completed on {day}  0:00:00
"""
TABLES = {
    "langlinks": (
        "`ll_from` int(8) unsigned NOT NULL DEFAULT 0",
        "`ll_lang` varbinary(35) NOT NULL DEFAULT ''",
        "`ll_title` varbinary(255) NOT NULL DEFAULT ''",
        "PRIMARY KEY (`ll_from`,`ll_lang`)",
        "KEY `ll_lang` (`ll_lang`,`ll_title`)",
    ),
    "page_props": (
        "`pp_page` int(11) NOT NULL DEFAULT 0",
        "`pp_propname` varbinary(60) NOT NULL DEFAULT ''",
        "`pp_value` blob NOT NULL",
        "`pp_sortkey` float DEFAULT NULL",
        "PRIMARY KEY (`pp_page`,`pp_propname`)",
    ),
    "redirect": (
        "`rd_from` int(8) unsigned NOT NULL DEFAULT 0",
        "`rd_namespace` int(11) NOT NULL DEFAULT 0",
        "`rd_title` varbinary(255) NOT NULL DEFAULT ''",
        "`rd_interwiki` varbinary(32) DEFAULT NULL",
        "`rd_fragment` varbinary(255) DEFAULT NULL",
        "PRIMARY KEY (`rd_from`)",
    ),
    "page": (
        "`page_id` int(8) unsigned NOT NULL AUTO_INCREMENT",
        "`page_namespace` int(11) NOT NULL DEFAULT 0",
        "`page_title` varbinary(255) NOT NULL DEFAULT ''",
        "`page_is_redirect` tinyint(1) unsigned NOT NULL DEFAULT 0",
        "`page_is_new` tinyint(1) unsigned NOT NULL DEFAULT 0",
        "`page_random` double unsigned NOT NULL DEFAULT 0",
        "`page_touched` varbinary(14) NOT NULL",
        "`page_links_updated` varbinary(14) DEFAULT NULL",
        "`page_latest` int(8) unsigned NOT NULL DEFAULT 0",
        "`page_len` int(8) unsigned NOT NULL DEFAULT 0",
        "`page_content_model` varbinary(32) DEFAULT NULL",
        "`page_lang` varbinary(35) DEFAULT NULL",
        "PRIMARY KEY (`page_id`)",
        "UNIQUE KEY `page_name_title` (`page_namespace`,`page_title`)",
    ),
}
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"}
)


def write_table(
    path: Path, table: str, rows: Iterable[Sequence[SqlValue]], database: str, date: str
) -> Path:
    """Writes a table of ``TABLES`` as ``.sql.gz``: one INSERT a line, several rows an INSERT."""
    literals = ["(" + ",".join(map(sql_literal, row)) + ")" for row in rows]
    inserts = [
        f"INSERT INTO `{table}` VALUES {','.join(literals[i : i + ROWS_PER_INSERT])};\n"
        for i in range(0, len(literals), ROWS_PER_INSERT)
    ]
    columns = ",\n".join(f"  {column}" for column in TABLES[table])
    head = _HEAD.format(database=database, table=table, columns=columns)
    tail = _TAIL.format(table=table, day=f"{date[:4]}-{date[4:6]}-{date[6:]}")
    path.write_bytes(gzip.compress((head + "".join(inserts) + tail).encode(), mtime=0))
    return path


def sql_literal(value: SqlValue) -> str:
    """The value as a literal of mysqldump."""
    if value is None:
        return "NULL"
    return f"'{value.translate(_ESCAPES)}'" if isinstance(value, str) else repr(value)


def page_random(page_id: int) -> float:
    """MediaWiki gives each page a random number; this one is derived from the id."""
    digest = hashlib.blake2b(str(page_id).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") % 10**12 / 10**12
