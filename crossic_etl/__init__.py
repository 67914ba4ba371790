"""Wikipedia and web-crawl dumps to cross-lingual training data (CrossIC-PT, arXiv 2504.20484).

One job makes one table::

    dump XML ────────────────► pages, redirects ──┬──► pairs ──► samples ──► windows
    langlinks, page_props SQL ► links ────────────┘

``jobs/`` reads, transforms and writes; ``crossic_etl.transforms`` turns frames into frames;
``crossic_etl.kernels`` does the work on plain values and never imports Spark.
"""
