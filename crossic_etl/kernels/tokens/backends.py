"""The two engines behind `tokenizers`: tiktoken, and Hugging Face's tokenizers.

tiktoken is five to ten times as fast, and takes a vocabulary whose merges are ranked by their ids
(Qwen, Llama 3). `tokenizers` takes any other.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from crossic_etl.kernels.tokens.byte_level import byte_level_tokens, tiktoken_pattern
from crossic_etl.kernels.tokens.ends import (
    Ends,
    Ids,
    TokenBytes,
    composed_positions,
    ends_from_offsets,
    without_surrogates,
)

_BLANK_RUN = 50_000


class Backend(Protocol):
    """The methods of an engine that `Tokenizer` uses."""

    specials: Mapping[str, int]
    vocab_size: int

    def encode_batch(self, texts: Sequence[str]) -> list[tuple[Ids, Ends]]:
        """The ids of each text, and where each token ends in it."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; special tokens by their names."""


class TiktokenBackend:
    """A byte-level vocabulary in tiktoken's form; with ``nfc`` texts are composed first."""

    def __init__(
        self, pattern: str, ranks: dict[bytes, int], specials: Mapping[str, int], nfc: bool
    ) -> None:
        import tiktoken

        # Without the special tokens, tiktoken can't but take their names for text. The one it has,
        # which it is never allowed to see, is there because it searches an empty set slowly.
        self._encoding = tiktoken.Encoding(
            "crossic",
            pat_str=pattern,
            mergeable_ranks=ranks,
            special_tokens={"\uffff": max(ranks.values()) + 1},
        )
        self._nfc = nfc
        self.specials = specials
        self.vocab_size = max([*ranks.values(), *specials.values()]) + 1
        self._tokens = [b""] * self.vocab_size
        for token, rank in ranks.items():
            self._tokens[rank] = token
        self._bytes = TokenBytes(self._tokens)
        for name, special in specials.items():
            self._tokens[special] = name.encode()

    def encode_batch(self, texts: Sequence[str]) -> list[tuple[Ids, Ends]]:
        """The ids of each text, and where each token ends in it."""
        return [self._encode(text) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; bytes that are no character become U+FFFD."""
        return b"".join(self._tokens[token] for token in ids).decode(errors="replace")

    def _encode(self, text: str) -> tuple[Ids, Ends]:
        plain = without_surrogates(text)
        composed = unicodedata.normalize("NFC", plain) if self._nfc else plain
        ids = self._ids(composed)
        ends = self._bytes.ends(ids)
        return ids, (ends if composed == plain else _ends_before_nfc(plain, composed, ends))

    def _ids(self, text: str) -> Ids:
        """The ids; runs of white space that would overflow the regex's stack are encoded apart."""
        if len(text) < 2 * _BLANK_RUN:
            return self._encoding.encode_to_numpy(text, disallowed_special=()).view(np.int32)
        starts = [
            at for at in range(0, len(text), _BLANK_RUN) if text[at : at + _BLANK_RUN].isspace()
        ]
        cuts = sorted({0, *starts, len(text)})
        pieces = [text[start:stop] for start, stop in pairwise(cuts)]
        ids = [self._encoding.encode_to_numpy(piece, disallowed_special=()) for piece in pieces]
        return np.concatenate(ids).astype(np.int32)


class HuggingFaceBackend:
    """Any vocabulary that `tokenizers` reads, from the JSON of its ``tokenizer.json``.

    With ``token_bytes`` (a byte-level vocabulary) ends are counted in bytes, else taken from the
    offsets that `tokenizers` gives, which cost as much as the tokenizing.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        specials: Mapping[str, int],
        token_bytes: TokenBytes | None,
    ) -> None:
        from tokenizers import Tokenizer

        added = [
            {**token, "special": token["content"] in specials} for token in spec["added_tokens"]
        ]
        self._tokenizer = Tokenizer.from_str(json.dumps({**spec, "added_tokens": added}))
        # Special tokens' names in a text are text: the ids are for the pipeline alone.
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._bytes = token_bytes
        self._nfc = _is_nfc(spec)
        self.specials = specials
        self.vocab_size = max(self._tokenizer.get_vocab(True).values()) + 1
        words = spec["model"].get("vocab") or ()
        names = {word if isinstance(word, str) else word[0] for word in words}
        reachable = [re.escape(name) for name in specials if name in names and len(name) > 1]
        self._reachable = re.compile("|".join(reachable)) if reachable else None

    def encode_batch(self, texts: Sequence[str]) -> list[tuple[Ids, Ends]]:
        """The ids of each text, and where each token ends in it."""
        plain = [without_surrogates(text) for text in texts]
        if self._bytes is None:
            return [self._by_offsets(text) for text in plain]
        # In byte-level vocabularies a special token's name is no product of merges.
        batch = self._tokenizer.encode_batch_fast(plain, add_special_tokens=False)
        return [
            self._by_bytes(text, np.array(encoding.ids, np.int32), self._bytes)
            for text, encoding in zip(plain, batch, strict=True)
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, as far as the vocabulary can give it back."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False)
        return text

    def _by_bytes(self, text: str, ids: Ids, table: TokenBytes) -> tuple[Ids, Ends]:
        composed = unicodedata.normalize("NFC", text) if self._nfc else text
        ends = table.ends(ids)
        if (int(ends[-1]) if len(ends) else 0) != len(composed):
            return self._by_offsets(text)
        return ids, (ends if composed == text else _ends_before_nfc(text, composed, ends))

    def _by_offsets(self, text: str) -> tuple[Ids, Ends]:
        """Texts that hold a special token's whole name are cut inside it, so it can't match."""
        cuts = [0, len(text)]
        if self._reachable:
            cuts[1:1] = [match.start() + 1 for match in self._reachable.finditer(text)]
        pieces = [text[start:stop] for start, stop in pairwise(cuts)]
        encoded = self._tokenizer.encode_batch(pieces, add_special_tokens=False)
        ids = [np.array(encoding.ids, np.int32) for encoding in encoded]
        ends = [
            ends_from_offsets(encoding.offsets, len(piece)) + start
            for encoding, piece, start in zip(encoded, pieces, cuts, strict=False)
        ]
        return np.concatenate(ids), np.concatenate(ends)


def load_hugging_face(name: str) -> Backend:
    """The tokenizer that ``AutoTokenizer`` loads for a name on the hub or a local folder.

    Added tokens that are special, or look it (``<|sep|>``, ``[SEP]``), are special tokens here.
    Raises ValueError where there is none, or none that `tokenizers` can run.
    """
    # One thread for each task: the cores belong to Spark's tasks.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise ValueError(
            f"tokenizer: {name!r} needs the package transformers (pip install 'crossic-etl[hf]'); "
            "expected 'qwen2.5' without it"
        ) from error

    expected = "expected 'qwen2.5', a Hugging Face name or a folder with tokenizer files"
    try:
        # unless this is said, transformers asks at the terminal
        auto = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"tokenizer: {name!r} can't be loaded ({reason}); {expected}") from error
    if not getattr(auto, "is_fast", False):
        raise ValueError(f"tokenizer: {name!r} has no fast form (tokenizer.json); {expected}")
    return backend_of(json.loads(auto.backend_tokenizer.to_str()))


def backend_of(spec: dict[str, Any]) -> Backend:
    """The fastest engine that gives the same ids as the tokenizer with this JSON."""
    specials = {
        token["content"]: token["id"]
        for token in spec["added_tokens"]
        if token["special"] or re.fullmatch(r"<.+>|\[.+\]", token["content"])
    }
    tokens = byte_level_tokens(spec, specials)
    if tokens is None:
        return HuggingFaceBackend(spec, specials, None)
    slow = HuggingFaceBackend(spec, specials, TokenBytes(tokens))
    pattern = tiktoken_pattern(spec)
    if pattern is None or len(specials) < len(spec["added_tokens"]):
        return slow
    ranks = {token: rank for rank, token in enumerate(tokens) if token}
    if len(ranks) < 256 or any(bytes([byte]) not in ranks for byte in range(256)):
        return slow
    fast = TiktokenBackend(pattern, ranks, specials, _is_nfc(spec))
    return fast if _agree(fast, slow, tokens) else slow


def _ends_before_nfc(text: str, composed: str, ends: Ends) -> Ends:
    mapped: Ends = np.maximum.accumulate(composed_positions(text, composed)[ends].clip(0))
    return mapped


def _is_nfc(spec: dict[str, Any]) -> bool:
    return (spec.get("normalizer") or {}).get("type") == "NFC"


def _agree(fast: Backend, slow: Backend, tokens: Sequence[bytes]) -> bool:
    """Whether both give the same ids for texts made of tokens from all over the vocabulary."""
    step = max(1, len(tokens) // 5000)
    words = [token.decode(errors="ignore") for token in tokens[::step]]
    probes = ["".join(words[i : i + 50]) for i in range(0, len(words), 50)]
    pairs = zip(fast.encode_batch(probes), slow.encode_batch(probes), strict=True)
    return all(np.array_equal(left, right) for (left, _), (right, _) in pairs)
