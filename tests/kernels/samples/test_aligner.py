from __future__ import annotations

import pytest

from crossic_etl.kernels.encoding.encoders import known_languages, load_encoder
from crossic_etl.kernels.encoding.spec import EncoderSpec
from crossic_etl.kernels.samples.aligner import Aligner
from crossic_etl.kernels.samples.arrangements import Recipe, make_samples
from crossic_etl.kernels.samples.segments import NO_DOCUMENT, Document, tokenize_documents
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

# Paragraphs on one subject each, in English and Spanish.
TOPICS = {
    "bridge": (
        "The stone bridge over the river has seven arches, and its builders came from the north.",
        "El puente de piedra sobre el río tiene siete arcos, y sus constructores eran del norte.",
    ),
    "bread": (
        "Bakers of the town bake rye bread with honey, which keeps for a week in a linen cloth.",
        "Los panaderos del pueblo hacen pan de centeno con miel, que dura una semana en lino.",
    ),
    "birds": (
        "In autumn thousands of cranes rest on the wet meadows before they fly to the south.",
        "En otoño miles de grullas descansan en los prados húmedos antes de volar al sur.",
    ),
    "school": (
        "The school teaches music to all children, and its choir sings in the market hall.",
        "La escuela enseña música a todos los niños, y su coro canta en el mercado cubierto.",
    ),
    "fire": (
        "A fire destroyed the old town hall, and the tower was built again in brick.",
        "Un incendio destruyó el antiguo ayuntamiento, y la torre se reconstruyó en ladrillo.",
    ),
    "train": (
        "The railway reached the valley late, and the night train still stops for the post.",
        "El ferrocarril llegó tarde al valle, y el tren nocturno aún se detiene por el correo.",
    ),
}
NAMES = list(TOPICS)
SIZES = (64, 1, 1)


def text(side: int, names: list[str]) -> str:
    return "\n\n".join(TOPICS[name][side] for name in names)


def documents(english: str, target: str, lang: str = "es") -> list[Document]:
    return tokenize_documents([english, target], ["en", lang], load_tokenizer())


def aligner(method: str = "encoder", all_similarities: bool = False) -> Aligner:
    spec = EncoderSpec()
    return Aligner(method, load_encoder(spec), known_languages(spec), all_similarities)


# English has all subjects, Spanish the last three and then the first: relative positions are wrong.
SHIFTED = documents(text(0, NAMES), text(1, ["school", "fire", "train"]))


def beside(made: Aligner, pair: list[Document] = SHIFTED) -> set[str]:
    """The subjects whose two sides are in one sample."""
    cut = made.cut(pair[0], pair[1], SIZES)
    return {
        name
        for name, (english, target) in TOPICS.items()
        for one in cut.pairs
        if english in one.english.text and target in one.target.text
    }


def test_the_encoder_puts_subjects_beside_each_other_and_position_does_not() -> None:
    assert beside(aligner()) == {"school", "fire", "train"}
    assert len(beside(aligner("position"))) < 2
    assert aligner().cut(*SHIFTED, SIZES).kind == "encoder"
    assert aligner("position").cut(*SHIFTED, SIZES).kind == "position"


def test_a_language_that_the_encoder_does_not_know_is_cut_by_what_both_write_alike() -> None:
    years = ("1801", "1822", "1843", "1864", "1885", "1906")
    english = "\n\n".join(f"{TOPICS[n][0]} In {y}." for n, y in zip(NAMES, years, strict=True))
    swahili = "\n\n".join(f"Mji wetu una habari ndefu ya mwaka huo {y}." * 2 for y in years[3:])
    pair = documents(english, swahili, "sw")
    made = aligner()
    cut = made.cut(*pair, (80, 1, 1))
    assert (cut.kind, set(cut.cosines), made.n_characters) == ("anchors", {None}, 0)
    beside = [y for y in years for p in cut.pairs if y in p.english.text and y in p.target.text]
    assert beside == list(years[3:])


def test_similarities_are_of_what_was_cut_or_of_all() -> None:
    short = documents(TOPICS["fire"][0], TOPICS["fire"][1])
    other = documents(TOPICS["fire"][0], TOPICS["birds"][1])
    assert aligner().cut(*short, (256, 1, 1)).cosines == [None]
    (near,) = aligner("position", all_similarities=True).cut(*short, (256, 1, 1)).cosines
    (far,) = aligner("position", all_similarities=True).cut(*other, (256, 1, 1), False).cosines
    assert near is not None and far is not None
    assert near > 0.6 > far
    assert all(cosine is None or 0 < cosine <= 1 for cosine in aligner().cut(*SHIFTED, SIZES)[2])


def test_texts_that_do_not_match_are_cut_by_position() -> None:
    made = aligner()
    cut = made.cut(*SHIFTED, SIZES, match=False)
    assert (cut.kind, made.n_characters) == ("position", 0)
    assert [p.english.text for p in cut.pairs] == [
        p.english.text for p in aligner("position").cut(*SHIFTED, SIZES).pairs
    ]


def test_an_english_document_is_embedded_once_for_the_languages_that_follow_each_other() -> None:
    made = aligner()
    english, target = SHIFTED
    made.cut(english, target, SIZES)
    first = made.n_characters
    made.cut(documents(english.text, "")[0], target, SIZES)
    assert first > len(english.text) * 0.9 > made.n_characters - first > len(target.text) * 0.9


@pytest.mark.parametrize("all_similarities", [False, True])
def test_one_side_alone_is_cut_as_ever_and_embeds_nothing(all_similarities: bool) -> None:
    made = aligner("encoder", all_similarities)
    for pair in ((SHIFTED[0], NO_DOCUMENT), (NO_DOCUMENT, SHIFTED[1])):
        cut = made.cut(*pair, SIZES)
        assert len(cut.pairs) > 1
        assert set(cut.cosines) == {None}
    assert made.n_characters == 0


def test_without_an_encoder_the_method_says_so() -> None:
    anchored = Aligner("encoder", None)
    assert anchored.cut(*SHIFTED, SIZES).kind in ("anchors", "position")


def test_segments_with_nothing_opposite_are_kept_or_dropped_and_counted() -> None:
    english, target = documents(text(0, NAMES), "Un puente.")
    kept, dropped = (
        list(make_samples(
            ["en-first", "mix"], english, target, ("a", "b"),
            Recipe(load_tokenizer(), 48, aligner=Aligner(), drops_unmatched=drops),
        ))
        for drops in (False, True)
    )  # fmt: skip
    one_sided = [s for s in kept if s.arrangement == "en-first" and not s.target_text]
    assert one_sided
    assert {s.n_unmatched for s in kept} == {0}
    left = [s for s in dropped if s.arrangement == "en-first"]
    assert {s.sample_id for s in left} == {
        s.sample_id for s in kept if s.arrangement == "en-first" and s.target_text
    }
    assert {s.n_unmatched for s in left} == {len(one_sided)}
    # A sample of one text has nothing opposite by design.
    assert [s.sample_id for s in dropped if s.arrangement == "mix"] == [
        s.sample_id for s in kept if s.arrangement == "mix"
    ]
