"""Encoders: texts of any language to vectors whose cosine measures how close their meanings are.

``use-multilingual`` is embedded. ``sentence-transformers`` runs any model of the Hugging Face hub
or a local folder, and needs the extra ``encoders``.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from crossic_etl.kernels.encoding.names import EMBEDDED_LANGUAGES
from crossic_etl.kernels.encoding.spec import EMBEDDED, Encoder, EncoderSpec, _unfit


def load_encoder(spec: EncoderSpec) -> Encoder:
    """The encoder, loaded once for each process.

    Raises ValueError where a package or the model is missing, or has another revision.
    """
    return _load(spec)


@lru_cache(maxsize=2)
def _load(spec: EncoderSpec) -> Encoder:
    name, revision = encoder_identity(spec)
    if spec.backend == EMBEDDED:
        from crossic_etl.kernels.encoding.use_multilingual import UseMultilingual

        return UseMultilingual(name, revision, spec.threads)
    from crossic_etl.kernels.encoding.sentence_transformers import load_model

    return load_model(spec, name, revision)


def known_languages(spec: EncoderSpec) -> frozenset[str] | None:
    """The languages that the encoder knows, as codes of wikis; None where the model says none."""
    return EMBEDDED_LANGUAGES if spec.backend == EMBEDDED else None


def encoder_identity(spec: EncoderSpec) -> tuple[str, str]:
    """Name and revision of the encoder that `load_encoder` gives, without loading it.

    The revision includes the settings that change a model's vectors: dtype, prefixes, token limit.
    A folder's name is its last part, so that it may have another path on another machine.
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
    """16 hex digits: a hash of the names and contents of a folder's files, except hidden ones."""
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
    from crossic_etl.kernels.encoding.use_multilingual import installed_version

    version = installed_version()
    if asked not in (None, version):
        raise _unfit("revision", asked, f"{version}, which is installed,")
    return version
