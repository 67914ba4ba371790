"""Wikitext to text: the prose of an article without its markup, in time linear in its length."""

from crossic_etl.kernels.wikitext.disambiguation import is_disambiguation
from crossic_etl.kernels.wikitext.extract import to_text
from crossic_etl.kernels.wikitext.page import Extraction, Options

__all__ = ["Extraction", "Options", "is_disambiguation", "to_text"]
