"""Fetches dumps from a mirror and crawl files from a list, without Spark.

``mirror`` and ``listings`` list the files, ``transfer`` fetches one, ``batch`` fetches many.
"""
