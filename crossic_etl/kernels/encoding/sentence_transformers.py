"""Any model that the package sentence-transformers loads, on a GPU or the CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crossic_etl.kernels.encoding.spec import EMBEDDED, SENTENCE_TRANSFORMERS, Kind, Vectors
from crossic_etl.kernels.tokens.ends import without_surrogates

if TYPE_CHECKING:
    from crossic_etl.kernels.encoding.spec import EncoderSpec

# What models call the two kinds in their own configuration.
PROMPT_NAMES: dict[Kind, tuple[str, ...]] = {
    "query": ("query",),
    "passage": ("passage", "document", "corpus"),
}


class SentenceTransformerEncoder:
    """A loaded model with its prefixes. Texts past the model's token limit are cut by it.

    ``batch_tokens`` bounds rows times the longest row's tokens in a forward pass. A pass that does
    not fit the GPU's memory is halved until it does.
    """

    def __init__(
        self, model: Any, name: str, revision: str, prefixes: dict[Kind, str], batch_tokens: int
    ) -> None:
        self.name = name
        self.revision = revision
        self.prefixes = prefixes
        self._model = model
        self._batch_tokens = batch_tokens
        self._tokenizer = _fast_tokenizer(model)
        self.dimension = int(self._model.encode("a", convert_to_tensor=True).shape[-1])

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """float32[n, d], unit length, a row for each text in its order."""
        readable = [without_surrogates(text) for text in texts]
        vectors = np.empty((len(texts), self.dimension), np.float32)
        lengths = [n_tokens for n_tokens, _ in self._measured(readable, kind)]
        for rows in token_batches(lengths, self._batch_tokens):
            vectors[rows] = self._encode_at_once([readable[row] for row in rows], kind)
        with np.errstate(invalid="ignore", divide="ignore"):
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def visible(self, texts: list[str], kind: Kind) -> list[int]:
        """How many characters of each text the encoder sees, from its start."""
        readable = [without_surrogates(text) for text in texts]
        return [n_characters for _, n_characters in self._measured(readable, kind)]

    def _measured(self, texts: list[str], kind: Kind) -> list[tuple[int, int]]:
        """For each text the tokens of a row, and the characters of the text that they stand for."""
        if self._tokenizer is None or not texts:
            return [(len(text), len(text)) for text in texts]
        prefix = self.prefixes[kind]
        encoded = self._tokenizer(
            [prefix + text for text in texts],
            truncation=self._model.max_seq_length is not None,
            max_length=self._model.max_seq_length,
            return_offsets_mapping=True,
            return_attention_mask=False,
            verbose=False,
        )
        whole = self._model.max_seq_length or 2**31
        return [
            (len(ids), len(text) if len(ids) < whole else _last_end(offsets, len(prefix)))
            for ids, offsets, text in zip(
                encoded["input_ids"], encoded["offset_mapping"], texts, strict=True
            )
        ]

    def _encode_at_once(self, texts: list[str], kind: Kind) -> Vectors:
        import torch

        try:
            encoded = self._model.encode(
                texts,
                prompt=self.prefixes[kind],
                batch_size=len(texts),
                convert_to_tensor=True,
                show_progress_bar=False,
            )
        except torch.cuda.OutOfMemoryError:
            if len(texts) == 1:
                raise
        else:
            vectors: Vectors = encoded.float().cpu().numpy()
            return vectors
        torch.cuda.empty_cache()
        middle = len(texts) // 2
        halves = (texts[:middle], texts[middle:])
        return np.concatenate([self._encode_at_once(half, kind) for half in halves])


def load_model(spec: EncoderSpec, name: str, revision: str) -> SentenceTransformerEncoder:
    """The model in evaluation mode, on its device, in its dtype; ValueError if it doesn't load."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ValueError(
            f"encoder.backend: {SENTENCE_TRANSFORMERS!r} needs the package sentence-transformers "
            f"(pip install 'crossic-etl[encoders]'); expected {EMBEDDED!r} without it"
        ) from error

    torch.set_num_threads(spec.threads)
    try:
        model = SentenceTransformer(
            spec.model,
            device=spec.device or choose_device((), torch.cuda.device_count()),
            revision=None if Path(spec.model).is_dir() else spec.revision,
            trust_remote_code=spec.trust_remote_code,
        )
    except Exception as error:  # whatever the model's files lead to
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"encoder.model: {spec.model!r} at {spec.revision!r} can't be loaded ({reason})"
        ) from error
    model.to(getattr(torch, spec.dtype)).eval()
    if spec.max_tokens:
        model.max_seq_length = spec.max_tokens
    prefixes: dict[Kind, str] = {
        "query": _prefix(spec.query_prefix, model, "query"),
        "passage": _prefix(spec.passage_prefix, model, "passage"),
    }
    return SentenceTransformerEncoder(model, name, revision, prefixes, spec.batch_tokens)


def choose_device(addresses: Sequence[str], n_gpus: int, process: int | None = None) -> str:
    """The device of a task: ``cuda:N`` of the first GPU that Spark assigned to it.

    Where Spark assigned none, the process id chooses one of the machine's GPUs, so that workers use
    all of them and a process always the same one. ``cpu`` where the machine has no GPU.
    """
    if addresses:
        return f"cuda:{addresses[0]}"
    if n_gpus == 0:
        return "cpu"
    return f"cuda:{(os.getpid() if process is None else process) % n_gpus}"


def token_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Batches of rows by falling length: rows times the longest is within the limit, or one row."""
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    while order:
        n_rows = max(1, batch_tokens // max(1, lengths[order[0]]))
        yield order[:n_rows]
        order = order[n_rows:]


def _prefix(given: str | None, model: Any, kind: Kind) -> str:
    if given is not None:
        return given
    named = [model.prompts[name] for name in PROMPT_NAMES[kind] if model.prompts.get(name)]
    return str(named[0]) if named else ""


def _fast_tokenizer(model: Any) -> Any:
    """A tokenizer that gives positions; None where the model has another kind."""
    tokenizer = getattr(model, "tokenizer", None)
    return tokenizer if getattr(tokenizer, "is_fast", False) else None


def _last_end(offsets: Sequence[tuple[int, int]], n_prefix: int) -> int:
    return max(0, max((end for _, end in offsets), default=0) - n_prefix)
