"""A root's tables as one HTML file: what went in and came out, and samples to read.

``flow``, ``texts``, ``retrieval`` and ``browser`` ask the tables, each for a section; ``charts``
draws; ``html`` writes the page.
"""
