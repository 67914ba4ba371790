"""The names of encoders, number types and span rules, which the configuration takes. Loads nothing.

`spec` has the encoders, `spans` the rules.
"""

from __future__ import annotations

EMBEDDED = "use-multilingual"
SENTENCE_TRANSFORMERS = "sentence-transformers"
BACKENDS = (EMBEDDED, SENTENCE_TRANSFORMERS)
DTYPES = ("float32", "float16", "bfloat16")
SPANS = ("lead", "mean")
