from __future__ import annotations

import hashlib

import pytest

from crossic_etl.kernels.fingerprint import fingerprint


@pytest.mark.parametrize("thing", ["a", "", "ภาษาไทย", "日本語", "العربية"])
def test_a_text_is_hashed_as_it_is(thing: str) -> None:
    assert fingerprint(thing) == hashlib.sha256(thing.encode()).hexdigest()[:16]
    assert fingerprint(thing.encode()) == fingerprint(thing)


def test_a_known_value() -> None:
    assert fingerprint("a") == "ca978112ca1bbdca"
    assert fingerprint(["a", 1]) == hashlib.sha256(b'["a", 1]').hexdigest()[:16]


def test_several_things_are_the_list_of_them() -> None:
    assert fingerprint("a", "b") == fingerprint(["a", "b"])
    assert fingerprint("a", "b") != fingerprint("ab")
    assert fingerprint() == fingerprint([])


def test_the_order_of_keys_says_nothing_and_that_of_items_does() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(["a", "b"]) != fingerprint(["b", "a"])


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError):
        fingerprint({1, 2})
