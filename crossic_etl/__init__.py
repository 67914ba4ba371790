"""Wikipedia and web-crawl dumps to cross-lingual training data (CrossIC-PT, arXiv 2504.20484).

One job makes one table::

    dump XML ────────────────► pages, redirects ──┬──► pairs ───────────┐
    langlinks, page_props SQL ► links ────────────┘                     ├──► samples ──► windows
    crawl files ─────────────► documents ─► embeddings ─► neighbours ───┘

``jobs/`` reads, transforms and writes; ``crossic_etl.transforms`` turns frames into frames;
``crossic_etl.kernels`` does the work on plain values and never imports Spark.
"""
