"""Every benchmark of the main job, one after the other: ``python -m bench``."""

from __future__ import annotations

from bench import packing, pages, wikitext


def main() -> None:
    """Wikitext against other cleaners, packing against the tokenizer, Spark against a loop."""
    wikitext.main([])
    packing.main()
    pages.main([])


if __name__ == "__main__":
    main()
