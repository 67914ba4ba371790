"""The names of window policies and of arrangements, which the configuration takes. Loads nothing.

`packing` has the policies, `arrangements` makes the samples.
"""

from __future__ import annotations

POLICIES = ("sliding", "padded", "best-fit")

# In which order samples go into windows, and whether windows mix target languages.
DOCUMENTS, SHUFFLED = ORDERS = ("documents", "shuffled")
MIXED, SEPARATE = WINDOW_LANGUAGES = ("mixed", "separate")

ENGLISH = "english"
TARGET = "target"

# Each tuple is one kind of sample: the sides that it holds, in order.
ARRANGEMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en-first": ((ENGLISH, TARGET),),
    "target-first": ((TARGET, ENGLISH),),
    "mix": ((ENGLISH,), (TARGET,)),
    "target-only": ((TARGET,),),
    "random": ((ENGLISH, TARGET),),
    "retrieved": ((ENGLISH, TARGET),),
}
