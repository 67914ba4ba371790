"""The tables under a root as one HTML file: counts, distributions, and samples to read.

``flow``, ``texts``, ``sides``, ``retrieval`` and ``browser`` query the tables and make sections;
``charts`` draws; ``html`` renders the page.
"""
