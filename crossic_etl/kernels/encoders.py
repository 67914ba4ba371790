"""Encoders: texts of any language to vectors whose cosine says how near their meanings are.

``use-multilingual`` is embedded. ``sentence-transformers`` runs any model of the Hugging Face hub
or a local folder, and needs the extra ``encoders``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

EMBEDDED = "use-multilingual"
SENTENCE_TRANSFORMERS = "sentence-transformers"
BACKENDS = (EMBEDDED, SENTENCE_TRANSFORMERS)
DTYPES = ("float32", "float16", "bfloat16")

Kind = Literal["query", "passage"]
Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What the embedding of a batch needs of a model.

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


def load_encoder(spec: EncoderSpec) -> Encoder:
    """The encoder, loaded once for each process.

    Raises ValueError where a package or the model is missing, or the revision is another one.
    """
    return _load(spec)


@lru_cache(maxsize=2)
def _load(spec: EncoderSpec) -> Encoder:
    name, revision = encoder_identity(spec)
    if spec.backend == EMBEDDED:
        from crossic_etl.kernels.encoder_backends.use_multilingual import UseMultilingual

        return UseMultilingual(name, revision, spec.threads)
    from crossic_etl.kernels.encoder_backends.sentence_transformers import load_model

    return load_model(spec, name, revision)


def encoder_identity(spec: EncoderSpec) -> tuple[str, str]:
    """Name and revision as `load_encoder`'s encoder has them, without loading it.

    The revision also holds what changes the vectors of one model: dtype, prefixes, token limit.
    A folder is named by its last part, so that it may lie elsewhere on another machine.
    """
    if spec.backend == EMBEDDED:
        return EMBEDDED, _embedded_revision(spec.revision)
    if Path(spec.model).is_dir():
        name, revision = Path(spec.model).resolve().name, spec.revision or folder_hash(spec.model)
    else:
        name, revision = spec.model, spec.revision or ""
        if not revision:
            raise _unfit(
                "revision", spec.revision, f"a commit or tag of {name}, which is no folder"
            )
    choices = [spec.query_prefix, spec.passage_prefix, spec.max_tokens]
    parts = [revision]
    if spec.dtype != "float32":
        parts.append(spec.dtype)
    if choices != [None, None, None]:
        parts.append(hashlib.sha256(json.dumps(choices).encode()).hexdigest()[:8])
    return name, "+".join(parts)


@lru_cache(maxsize=8)
def folder_hash(folder: str) -> str:
    """16 hex digits over names and contents of a folder's files; hidden ones don't count."""
    root = Path(folder)
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root)
        if any(part.startswith((".", "__")) for part in name.parts):
            continue
        digest.update(f"{name.as_posix()}\0{path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _embedded_revision(asked: str | None) -> str:
    from crossic_etl.kernels.encoder_backends.use_multilingual import installed_version

    version = installed_version()
    if asked not in (None, version):
        raise _unfit("revision", asked, f"{version}, which is installed,")
    return version


def _unfit(key: str, value: object, expected: str) -> ValueError:
    return ValueError(f"encoder.{key}: {value!r} given, expected {expected}")
