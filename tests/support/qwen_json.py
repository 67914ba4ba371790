"""Qwen2.5's tokenizer in the form that Hugging Face's libraries read."""

from __future__ import annotations

from typing import Any

from crossic_etl.kernels.tokens.byte_level import _byte_alphabet
from crossic_etl.kernels.tokens.qwen import QWEN_FIRST_SPECIAL, QWEN_PATTERN, load_qwen


def qwen_tokenizer() -> Any:
    """The tokenizer without its special tokens, made from the ranks as the published one was."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    letters = {byte: letter for letter, byte in _byte_alphabet().items()}
    tokens = load_qwen()._tokens[:QWEN_FIRST_SPECIAL]
    ranks = {token: i for i, token in enumerate(tokens)}
    merges = []
    for rank, token in enumerate(tokens):
        splits = [(token[:i], token[i:]) for i in range(1, len(token))]
        known = [pair for pair in splits if pair[0] in ranks and pair[1] in ranks]
        merges += [(rank, ranks[a], ranks[b], a, b) for a, b in known]
    merges.sort(key=lambda merge: merge[:3])

    def written(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    tokenizer = Tokenizer(
        models.BPE(
            {written(token): i for token, i in ranks.items()},
            [(written(a), written(b)) for *_, a, b in merges],
        )
    )
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
