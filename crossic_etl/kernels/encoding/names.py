"""The names of encoders, number types and span rules, which the configuration takes. Loads nothing.

`spec` has the encoders, `spans` the rules.
"""

from __future__ import annotations

EMBEDDED = "use-multilingual"
SENTENCE_TRANSFORMERS = "sentence-transformers"
BACKENDS = (EMBEDDED, SENTENCE_TRANSFORMERS)
DTYPES = ("float32", "float16", "bfloat16")
# What the embedded encoder knows, as codes of Wikipedia's wikis.
EMBEDDED_LANGUAGES = frozenset(
    [
        "ar",
        "de",
        "en",
        "es",
        "fr",
        "it",
        "ja",
        "ko",
        "nl",
        "pl",
        "pt",
        "ru",
        "simple",
        "th",
        "tr",
        "zh",
    ]
)
SPANS = ("lead", "mean")
