"""The protocol of encoders, and the settings that choose one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.encoding.names import BACKENDS as BACKENDS
from crossic_etl.kernels.encoding.names import DTYPES as DTYPES
from crossic_etl.kernels.encoding.names import EMBEDDED as EMBEDDED
from crossic_etl.kernels.encoding.names import SENTENCE_TRANSFORMERS as SENTENCE_TRANSFORMERS
from crossic_etl.kernels.encoding.spans import SpanRule

Kind = Literal["query", "passage"]
Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """The methods and attributes of a model that `embed_batch` uses.

    ``name`` and ``revision`` say which vectors may be compared: only those with both the same.
    ``dimension`` is the length of a vector.
    """

    name: str
    revision: str
    dimension: int

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """float32[n, d], unit length, a row for each text in its order.

        A row of `EMBEDDED` has the same bits in any batch. Models on torch pad a text to the
        longest of its forward pass, and round otherwise beside other texts: some 1e-7 in float32,
        1e-3 in half precision.
        """

    def visible(self, texts: list[str], kind: Kind) -> list[int]:
        """How many characters of each text the encoder sees, from its start."""


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder, and how it runs.

    Attributes:
        backend: `EMBEDDED`, or `SENTENCE_TRANSFORMERS` for any other model.
        model: name on the Hugging Face hub, or a folder that every worker has.
        revision: commit or tag on the hub (needed there: a branch may move between two workers).
            A folder's revision, where none is given, is the hash of its files.
        query_prefix, passage_prefix: what stands before each text (``"query: "`` for E5); None for
            what the model's own configuration names, if anything.
        dtype: of weights and arithmetic, one of `DTYPES`. Vectors are float32 all the same.
        device: ``cpu``, ``cuda:1``; None for a GPU where there is one, else the CPU.
        batch_tokens: most tokens in one forward pass, padding counted.
        max_tokens: texts are cut there; None for the model's own limit.
        trust_remote_code: run the Python code that comes with the model.
        threads: of the CPU; a Spark task's own share of the cores.

    Raises ValueError naming key, value and what was expected.
    """

    backend: str = EMBEDDED
    model: str = ""
    revision: str | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    dtype: str = "float32"
    device: str | None = None
    batch_tokens: int = 16_384
    max_tokens: int | None = None
    trust_remote_code: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        named = bool(self.model) == (self.backend != EMBEDDED)
        for key, fits, expected in (
            ("backend", self.backend in BACKENDS, f"one of {', '.join(BACKENDS)}"),
            ("model", named, f"a name or folder with {SENTENCE_TRANSFORMERS}, none without it"),
            ("dtype", self.dtype in DTYPES, f"one of {', '.join(DTYPES)}"),
            ("batch_tokens", self.batch_tokens > 0, "tokens > 0"),
            ("max_tokens", self.max_tokens is None or self.max_tokens > 0, "tokens > 0, or none"),
            ("threads", self.threads > 0, "threads > 0"),
        ):
            if not fits:
                raise _unfit(key, getattr(self, key), expected)


def _unfit(key: str, value: object, expected: str) -> ValueError:
    return ValueError(f"encoder.{key}: {value!r} given, expected {expected}")


@dataclass(frozen=True)
class EncoderChoice:
    """The chosen encoder and span rule: plain values, since they go to the workers.

    ``model`` and ``revision`` are the encoder's own, known without loading it; ``half`` says in
    which form vectors are stored.
    """

    spec: EncoderSpec
    rule: SpanRule
    model: str
    revision: str
    half: bool

    @property
    def scope(self) -> dict[str, list[str]]:
        """The rows of ``embeddings`` that may be compared, for `Tables.select`."""
        return {
            "model": [self.model],
            "revision": [self.revision],
            "span_rule": [self.rule.name],
        }
