"""Byte-level BPE vocabularies of Hugging Face's form, as tiktoken takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def byte_level_tokens(spec: dict[str, Any], specials: Mapping[str, int]) -> list[bytes] | None:
    """The bytes of each id, or None where the vocabulary is not byte-level BPE."""
    model = spec["model"]
    plain = (model.get("continuing_subword_prefix") or model.get("end_of_word_suffix")) is None
    normalizer = spec.get("normalizer")
    byte_level = (spec.get("decoder") or {}).get("type") == "ByteLevel"
    if model["type"] != "BPE" or not plain or not byte_level:
        return None
    if normalizer is not None and normalizer["type"] != "NFC":
        return None
    alphabet = _byte_alphabet()
    words = {word: i for word, i in model["vocab"].items() if word not in specials}
    added = {token["content"]: token["id"] for token in spec["added_tokens"]}
    tokens = [b""] * (max([*words.values(), *added.values()]) + 1)
    for word, i in words.items():
        if word not in added:
            tokens[i] = bytes(alphabet.get(character, 0) for character in word)
    for word, i in added.items():
        tokens[i] = b"" if word in specials else word.encode()
    return tokens


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable character for each byte, as byte-level vocabularies are written."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    pairs = [(byte, byte) for byte in printable]
    pairs += [(byte, 256 + i) for i, byte in enumerate(others)]
    return {chr(character): byte for byte, character in pairs}


def tiktoken_pattern(spec: dict[str, Any]) -> str | None:
    """The regex that splits words, where splitting is all that comes before the merges."""
    model = spec["model"]
    if model.get("dropout") or model.get("byte_fallback") or model.get("unk_token"):
        return None
    steps = (spec.get("pre_tokenizer") or {}).get("pretokenizers") or []
    if [step["type"] for step in steps] != ["Split", "ByteLevel"]:
        return None
    split, byte_level = steps
    if split["behavior"] != "Isolated" or split["invert"] or byte_level["add_prefix_space"]:
        return None
    pattern: str | None = None if byte_level["use_regex"] else split["pattern"].get("Regex")
    return pattern
