"""One way to shorten a hash of anything: what a result was made of, in 16 hex digits."""

from __future__ import annotations

import hashlib
import json

DIGITS = 16


def fingerprint(*things: object) -> str:
    """The first 16 hex digits of a SHA-256.

    A single text or byte string is hashed as it is. Anything else is hashed as JSON with sorted
    keys, several things as the JSON list of them.

    Raises:
        TypeError: a thing has no form in JSON.
    """
    whole: object = things[0] if len(things) == 1 else list(things)
    if not isinstance(whole, (str, bytes)):
        whole = json.dumps(whole, sort_keys=True, ensure_ascii=False)
    content = whole.encode() if isinstance(whole, str) else whole
    return hashlib.sha256(content).hexdigest()[:DIGITS]
