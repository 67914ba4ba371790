"""Fetches dumps from a mirror and crawl files from a list, without Spark.

``mirror`` and ``listings`` say which files there are, ``transfer`` brings one, ``batch`` many.
"""
