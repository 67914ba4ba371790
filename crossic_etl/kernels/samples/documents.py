"""A text with its tokens, from which segments and chunks are cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from crossic_etl.kernels.tokens.ends import Ends, Ids
from crossic_etl.kernels.tokens.tokenizers import Tokenizer


class Document(NamedTuple):
    """A text, its language, the ids of the whole text and where each token ends (`Tokenizer`).

    ``tokenizer`` made the ids; only an empty document has none.
    """

    text: str
    lang: str
    ids: Ids
    ends: Ends
    tokenizer: Tokenizer | None = None


NO_DOCUMENT = Document("", "", np.zeros(0, np.int32), np.zeros(0, np.int64))


def tokenize_documents(
    texts: Sequence[str], langs: Sequence[str], tokenizer: Tokenizer
) -> list[Document]:
    """The documents of these texts, tokenized in one batch."""
    encoded = tokenizer.encode_batch(texts)
    rows = zip(texts, langs, encoded, strict=True)
    return [Document(text, lang, ids, ends, tokenizer) for text, lang, (ids, ends) in rows]
