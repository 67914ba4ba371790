"""The names of window policies and of arrangements, which the configuration takes. Loads nothing.

`packing` has the policies, `arrangements` makes the samples.
"""

from __future__ import annotations

POLICIES = ("sliding", "padded", "best-fit")

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
