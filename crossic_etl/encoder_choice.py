"""What the configuration's ``encoder`` stands for: an encoder, a span rule, and whose vectors."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from crossic_etl.config_crawl import Encoder
from crossic_etl.config_errors import UnfitSettingError
from crossic_etl.kernels.encoders import SENTENCE_TRANSFORMERS, EncoderSpec, encoder_identity
from crossic_etl.kernels.spans import SpanRule

PACKAGES = {SENTENCE_TRANSFORMERS: ("sentence_transformers", "torch")}


@dataclass(frozen=True)
class EncoderChoice:
    """Plain values, so that it travels to the workers.

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


def choose_encoder(encoder: Encoder) -> EncoderChoice:
    """What the configuration asks for.

    Raises:
        UnfitSettingError: a value can't be used, or a package is missing.
    """
    try:
        spec = EncoderSpec(
            encoder.backend, encoder.model, encoder.revision,
            encoder.query_prefix, encoder.passage_prefix, encoder.dtype,
            batch_tokens=encoder.batch_tokens, trust_remote_code=encoder.trust_remote_code,
        )  # fmt: skip
        _require_packages(encoder.backend)
        rule = SpanRule(encoder.span, encoder.span_chars, encoder.n_spans)
        model, revision = encoder_identity(spec)
    except (ValueError, OSError) as error:
        raise UnfitSettingError(" ".join(str(error).split())) from None
    return EncoderChoice(spec, rule, model, revision, encoder.half)


def _require_packages(backend: str) -> None:
    absent = [name for name in PACKAGES.get(backend, ()) if find_spec(name) is None]
    if absent:
        raise ValueError(
            f"encoder.backend: {backend!r} given, but {' and '.join(absent)} not installed; "
            "expected pip install 'crossic-etl[encoders]'"
        )
