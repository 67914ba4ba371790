"""Tokenizers that give the ids of `AutoTokenizer` and, for each token, where it ends in the text.

``qwen2.5`` is embedded. Any other name is a model on the Hugging Face hub or a local folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from crossic_etl.kernels.tokens.backends import Backend, load_hugging_face
from crossic_etl.kernels.tokens.ends import Ends, Ids
from crossic_etl.kernels.tokens.qwen import load_qwen

EMBEDDED = "qwen2.5"
# Ours. Reserved in Qwen2.5's vocabulary for a vision model's coordinates: it has a row in every
# checkpoint's embeddings and no meaning in text, neither an end, nor a chat turn, nor padding.
DEFAULT_SPLIT_TOKEN = "<|quad_end|>"
# Letters, digits and signs of the paper's languages: vocabularies differ in how they cut them, so
# two tokenizers that agree on it are taken for one.
PROBE = (
    "In 1984, naïve café-goers paid 3.50 €; ¿cuánto? São Paulo.\n\n"
    "كانت المدينة عاصمة. 東京は日本の首都です。서울은 한국의 수도이다. กรุงเทพเป็นเมืองหลวง"
)


class Tokenizer:
    """A vocabulary together with the token that closes each sample.

    ``split_ids`` is int32, one id, or several where the split token is plain text (then
    ``split_id`` is None). ``vocab_size`` is the highest id plus one, a new split token included.
    Names of special tokens inside a text are encoded as the text that they are, never as the
    special id; all other ids are those of ``AutoTokenizer`` with ``add_special_tokens=False``.
    Pickled by name: what is unpickled comes from the cache of `load_tokenizer`.
    """

    def __init__(self, name: str, split_token: str, backend: Backend) -> None:
        self.name = name
        self.split_token = split_token
        self._backend = backend
        self._new_token = split_token[4:] if split_token.startswith("new:") else None
        self.split_ids: Ids = np.array(_split_ids(split_token, backend), np.int32)
        self.vocab_size = backend.vocab_size + (self._new_token is not None)

    @property
    def split_id(self) -> int | None:
        """The id of the split token; None where it is a text of several ids."""
        return int(self.split_ids[0]) if len(self.split_ids) == 1 else None

    def encode(self, text: str) -> tuple[Ids, Ends]:
        """The ids (int32) of the whole text and the end of each token in characters (int64).

        The last end is the text's length. A token that ends inside a character, or inside
        characters that the tokenizer composes to one, repeats the end before it: a text may be cut
        after the first token with an end, nowhere else. Lone surrogates are encoded as U+FFFD.
        """
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[tuple[Ids, Ends]]:
        """`encode` of each text, on one thread."""
        return self._backend.encode_batch(texts)

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of the ids; special tokens and the split token by their names."""
        plain = np.asarray(ids).tolist()
        if self._new_token is None:
            return self._backend.decode(plain)
        pieces: list[list[int]] = [[]]
        for token in plain:
            if token == self.split_id:
                pieces.append([])
            else:
                pieces[-1].append(token)
        return self._new_token.join(self._backend.decode(piece) for piece in pieces)

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return load_tokenizer, (self.name, self.split_token)


def load_tokenizer(name: str = EMBEDDED, split_token: str = DEFAULT_SPLIT_TOKEN) -> Tokenizer:
    """The tokenizer of that name, loaded once for each process.

    ``split_token`` is the name of a special token that the vocabulary has, or ``new:[SPLIT]`` for
    a new id at its end, or a plain text (``text:[SPLIT]`` where it looks like a special token),
    whose ids then close each sample. Raises ValueError naming key, value and what was expected.
    """
    return _load(name, split_token)


def probe_ids(name: str) -> list[int]:
    """The ids of `PROBE` by the tokenizer of that name, whatever its split token.

    Raises OSError, ValueError or ImportError where it can't be loaded.
    """
    ids: list[int] = _load_backend(name).encode_batch([PROBE])[0][0].tolist()
    return ids


@lru_cache(maxsize=8)
def _load(name: str, split_token: str) -> Tokenizer:
    return Tokenizer(name, split_token, _load_backend(name))


@lru_cache(maxsize=4)
def _load_backend(name: str) -> Backend:
    return load_qwen() if name == EMBEDDED else load_hugging_face(name)


def _split_ids(split_token: str, backend: Backend) -> list[int]:
    some = ", ".join(list(backend.specials)[:4]) or "none here"
    expected = (
        f"expected a special token of the tokenizer ({some}, ...), 'new:' and the name of a token "
        "that it lacks, or 'text:' and a plain text"
    )
    if split_token in backend.specials:
        return [backend.specials[split_token]]
    if split_token.startswith("new:"):
        name = split_token[4:]
        if not name.strip() or name in backend.specials:
            raise ValueError(f"split_token: {split_token!r} names no new token; {expected}")
        return [backend.vocab_size]
    if re.fullmatch(r"<.+>|\[.+\]", split_token.strip()):
        raise ValueError(f"split_token: {split_token!r} is no token of this kind; {expected}")
    text = split_token[5:] if split_token.startswith("text:") else split_token
    ids: list[int] = backend.encode_batch([text])[0][0].tolist()
    if not ids:
        raise ValueError(f"split_token: {split_token!r} has no ids; {expected}")
    return ids
