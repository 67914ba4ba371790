"""The names of window policies, arrangements and alignments, which the configuration takes.

Loads nothing. `packing` has the policies, `arrangements` makes the samples, `aligner` cuts them.
"""

from __future__ import annotations

POLICIES = ("sliding", "padded", "best-fit")

# In which order samples go into windows, and whether windows mix target languages.
DOCUMENTS, SHUFFLED = ORDERS = ("documents", "shuffled")
MIXED, SEPARATE = WINDOW_LANGUAGES = ("mixed", "separate")
BY_ENCODER, BY_ANCHORS, BY_POSITION = "encoder", "anchors", "position"
ALIGNMENTS = (BY_ENCODER, BY_ANCHORS, BY_POSITION)
# Which samples have the cosine of their sides: those that were aligned by it, or all.
SIMILARITIES = ("cut", "all")
# What becomes of a segment that has nothing opposite.
UNMATCHED = (KEEP, DROP) = ("keep", "drop")

RANDOM = "random"
ENGLISH = "english"
TARGET = "target"

# Each tuple is one kind of sample: the sides that it holds, in order.
ARRANGEMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en-first": ((ENGLISH, TARGET),),
    "target-first": ((TARGET, ENGLISH),),
    "mix": ((ENGLISH,), (TARGET,)),
    "target-only": ((TARGET,),),
    RANDOM: ((ENGLISH, TARGET),),
    "retrieved": ((ENGLISH, TARGET),),
}
