"""What the configuration's ``encoder`` stands for: an encoder, a span rule, and whose vectors."""

from __future__ import annotations

from importlib.util import find_spec

from crossic_etl.config.crawl import Encoder
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.kernels.encoding.encoders import encoder_identity
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import SENTENCE_TRANSFORMERS, EncoderChoice, EncoderSpec

PACKAGES = {SENTENCE_TRANSFORMERS: ("sentence_transformers", "torch")}


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
