"""The cosine of the two texts of a sample by an encoder."""

from __future__ import annotations

from collections.abc import Sequence

from crossic_etl.kernels.encoding.embedding import embed_batch
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import Encoder
from crossic_etl.kernels.search.vectors import inner_products


def side_cosines(
    encoder: Encoder,
    en_texts: Sequence[str],
    target_texts: Sequence[str],
    target_langs: Sequence[str],
    rule: SpanRule,
) -> list[float | None]:
    """The cosine of each English text with the target text of the same row.

    None where one of the two can't be embedded. The target is the query, as in retrieval.
    """
    english = embed_batch(encoder, en_texts, ["en"] * len(en_texts), "passage", rule)
    target = embed_batch(encoder, target_texts, target_langs, "query", rule)
    cosines = inner_products(english.vectors, target.vectors)
    return [
        None if one or other else float(cosine)
        for cosine, one, other in zip(cosines, english.reasons, target.reasons, strict=True)
    ]
