"""Dumps of a wiki: XML, SQL, titles, links, redirects."""
