"""Every benchmark, one after the other: ``python -m bench``; docs/benchmarks.md explains them."""

from __future__ import annotations

from bench import (
    controls,
    embedding_udf,
    encoders,
    loader,
    months,
    packing,
    pages,
    retrieval,
    segments,
    thresholds,
    wikitext,
    workers,
)


def main() -> None:
    """First what runs on one core without Java, then Spark beside the same work without it."""
    for module, arguments in (
        (wikitext, []),
        (packing, []),
        (segments, []),
        (loader, []),
        (encoders, []),
        (thresholds, []),
        (retrieval, ["recall"]),
        (controls, []),
        (pages, []),
        (embedding_udf, []),
        (retrieval, ["scale"]),
        (months, []),
        (workers, []),
    ):
        name = " ".join([module.__name__, *arguments])
        print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        module.main(arguments)


if __name__ == "__main__":
    main()
