from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from crossic_etl.kernels.encoding.embedding import (
    Embedded,
    embed_batch,
    encode_sorted,
    to_half,
    vectors_to_arrow,
)
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import EncoderSpec, Kind, Vectors
from crossic_etl.kernels.search.vectors import to_matrix

LEAD = SpanRule("lead", 100)


@dataclass
class LengthEncoder:
    """A text's vector is (its length, 1), so that rows can't be mistaken for each other."""

    name: str = "length"
    revision: str = "1"
    dimension: int = 2
    sees: int = 10_000
    calls: list[list[int]] = field(default_factory=list)
    lost_rows: int = 0

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        self.calls.append([len(text) for text in texts])
        rows = [[np.nan if "NaN" in text else len(text[: self.sees]), 1] for text in texts]
        return np.array(rows[self.lost_rows :], np.float32).reshape(-1, 2)

    def visible(self, texts: list[str], kind: Kind) -> list[int]:
        return [min(len(text), self.sees) for text in texts]


def embed(encoder: LengthEncoder, texts: list[str | None], rule: SpanRule = LEAD) -> Embedded:
    return embed_batch(encoder, texts, ["en"] * len(texts), "passage", rule, 20)


def test_rows_come_in_the_order_given_though_encoded_by_length() -> None:
    encoder = LengthEncoder()
    embedded = embed(encoder, ["a" * 9, "a" * 3, "a" * 12, "a" * 6])
    ratios = embedded.vectors[:, 0] / embedded.vectors[:, 1]
    assert ratios.round(4).tolist() == [9, 3, 12, 6]
    assert encoder.calls == [[3, 6, 9], [12]]


def test_a_text_longer_than_a_sub_batch_is_one_of_its_own() -> None:
    encoder = LengthEncoder()
    embed(encoder, ["a" * 50, "a" * 40, "a"])
    assert encoder.calls == [[1], [40], [50]]


def test_texts_that_say_nothing_have_a_reason_and_no_vector() -> None:
    encoder = LengthEncoder()
    embedded = embed(encoder, [None, "a", " ", "--", "a \ud800", "NaN"])
    assert embedded.reasons == ["empty", None, "empty", "no_letters", None, "not_finite"]
    assert np.linalg.norm(embedded.vectors, axis=1).round(6).tolist() == [0, 1, 0, 0, 1, 0]
    assert embedded.spans == [[], [(0, 1)], [], [], [(0, 3)], [(0, 3)]]


def test_no_texts_give_no_rows() -> None:
    embedded = embed(LengthEncoder(), [])
    assert (embedded.vectors.shape, embedded.spans, embedded.reasons) == ((0, 2), [], [])


def test_spans_are_what_the_encoder_sees() -> None:
    embedded = embed(LengthEncoder(sees=5), ["  abc defg hij"])
    assert embedded.spans == [[(2, 7)]]


def test_a_mean_is_weighted_by_the_characters_of_its_spans() -> None:
    text = "a" * 20 + " " + "b" * 8
    embedded = embed(LengthEncoder(), [text], SpanRule("mean", 20, 2))
    assert embedded.spans == [[(0, 20), (21, 29)]]
    units = [np.array([n, 1]) / np.hypot(n, 1) for n in (20, 8)]
    mean = 20 * units[0] + 8 * units[1]
    np.testing.assert_allclose(embedded.vectors[0], mean / np.linalg.norm(mean), rtol=1e-6)


def test_an_encoder_that_loses_a_row_is_refused() -> None:
    with pytest.raises(
        RuntimeError, match=r"encoder length: 2 texts gave .*\(1, 2\), expected \(2"
    ):
        encode_sorted(LengthEncoder(lost_rows=1), ["a", "b"], "query", 100)


def test_vectors_are_unit_float32() -> None:
    vectors = embed(LengthEncoder(), ["a" * n for n in range(1, 30)]).vectors
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1).max() < 1e-6


def test_half_precision_is_little_endian_and_comes_back() -> None:
    assert to_half(np.array([[1.0, -0.5]], np.float32)) == [b"\x00\x3c\x00\xb8"]
    vectors = np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)
    column = pa.array(to_half(vectors), pa.binary())
    np.testing.assert_allclose(to_matrix(column, 2), vectors, atol=2**-11)


@pytest.mark.parametrize(("half", "kind"), [(False, pa.list_(pa.float32())), (True, pa.binary())])
def test_columns_are_null_where_there_is_a_reason(half: bool, kind: pa.DataType) -> None:
    embedded = embed(LengthEncoder(), ["a", None, "abc"])
    column = vectors_to_arrow(embedded, half)
    assert column.type == kind
    assert column.is_null().to_pylist() == [False, True, False]
    back = to_matrix(column.drop_null(), 2)
    np.testing.assert_allclose(back, embedded.vectors[[0, 2]], atol=2**-11 if half else 0)


def test_the_embedded_encoder_takes_whatever_a_crawl_holds() -> None:
    encoder = load_encoder(EncoderSpec())
    texts = [
        "The cat sat on the mat.",
        None,
        "\ud800\udfff broken \udc00",
        "แมวนั่งบนเสื่อ" * 80_000,
        "\0\x01 control \x7f",
        "a" * 1_000_000,
        "\u200b\u200b\u200bx",
        "El gato se sentó en la alfombra.",
    ]
    embedded = embed_batch(encoder, texts, [None] * 8, "passage", SpanRule())
    assert embedded.reasons == [None, "empty", *[None] * 6]
    assert all(end <= 1000 for spans in embedded.spans for _, end in spans)
    lengths = np.linalg.norm(np.delete(embedded.vectors, 1, 0).astype(np.float64), axis=1)
    assert np.abs(lengths - 1).max() < 1e-6
    nearest = (embedded.vectors[1:] @ embedded.vectors[0]).argmax()
    assert nearest == 6


def test_the_embedded_encoders_vectors_have_the_same_bits_in_any_batch() -> None:
    encoder = load_encoder(EncoderSpec())
    texts: list[str | None] = [f"Sentence {n} about tea." * (n % 7 + 1) for n in range(40)]
    texts += ["ชาปลูกบนเขา", "茶は山で育つ", "الشاي ينمو في الجبال", "x"]
    langs = ["en"] * len(texts)
    whole = embed_batch(encoder, texts, langs, "passage", SpanRule()).vectors
    alone = [embed_batch(encoder, [t], ["en"], "passage", SpanRule()).vectors[0] for t in texts]
    back = embed_batch(encoder, texts[::-1], langs, "passage", SpanRule()).vectors[::-1]
    np.testing.assert_array_equal(whole, np.stack(alone))
    np.testing.assert_array_equal(whole, back)
