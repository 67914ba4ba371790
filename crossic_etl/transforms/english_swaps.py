"""Gives each pair the English text of another pair that is near in length, for ``random``.

Texts of a language and split go to length classes, an eighth of an octave each. Within a class they
form a cycle, in the order of a hash, and each pair takes the English text that follows its own. The
classes are fixed, so a new pair changes a few of the other pairs only, whatever their number.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

# Ours: texts of one class differ in length by 9 % at most.
CLASSES_OF_AN_OCTAVE = 8
# Ours: the only text of its class joins the nearest class of others within an octave.
FARTHEST_CLASS = CLASSES_OF_AN_OCTAVE

GROUP = ("target_lang", "split")


def swap_english(pairs: DataFrame, seed: int) -> DataFrame:
    """Adds ``other_en_source_id``: the English text of another pair; null where none is near.

    ``pairs`` have `GROUP`, ``en_source_id``, ``en_n_chars`` and ``en_text_hash``, none of them
    null. Two pairs of one page, or of pages with the same text, never get each other's. Where there
    are none of these, each English text goes to one pair.
    """
    classed = pairs.withColumn("length_class", _length_class(F.col("en_n_chars")))
    cycles = F.broadcast(join_classes(classed))
    placed = classed.join(cycles, on=[*GROUP, "length_class"], how="left")
    return _take_next(placed, seed).select(*pairs.columns, "other_en_source_id")


def join_classes(classed: DataFrame) -> DataFrame:
    """``target_lang, split, length_class, cycle, class_place``: a row for each class with a text.

    A class with a single text joins the nearest other one, the shorter of two as near, if it is at
    most `FARTHEST_CLASS` away. Joined classes are one cycle. In the order of ``class_place``, and
    from its end to its start, neighbours are at most two joined classes apart.
    """
    ordered = Window.partitionBy(*GROUP).orderBy("length_class")
    until_here = ordered.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    length_class, below, above = (F.col(name) for name in ("length_class", "below", "above"))
    is_single = F.min("en_text_hash") == F.max("en_text_hash")
    near_below = below <= F.least(above, F.lit(FARTHEST_CLASS))  # `least` passes over nulls
    near_above = (above <= FARTHEST_CLASS) & (below.isNull() | (above < below))
    starts = ~(F.col("joins_below") | F.lag("joins_above", 1, False).over(ordered))
    # 1, 2, 3, 4, 5 as 5, 3, 1, 2, 4: sorted by length, a cycle's ends would meet.
    number = F.row_number().over(Window.partitionBy(*GROUP, "cycle").orderBy("length_class"))
    zigzag = F.when(number % 2 == 0, number).otherwise(-number)
    classes = classed.groupBy(*GROUP, "length_class").agg(is_single.alias("is_single"))
    return (
        classes.withColumn("below", length_class - F.lag("length_class").over(ordered))
        .withColumn("above", F.lead("length_class").over(ordered) - length_class)
        .withColumn("joins_below", F.coalesce(F.col("is_single") & near_below, F.lit(False)))
        .withColumn("joins_above", F.coalesce(F.col("is_single") & near_above, F.lit(False)))
        .withColumn("starts", starts.cast("int"))
        .withColumn("cycle", F.sum("starts").over(until_here))
        .withColumn("class_place", zigzag)
        .select(*GROUP, "length_class", "cycle", "class_place")
    )


def _length_class(n_chars: Column) -> Column:
    # With the half no length is on a border, where a platform's logarithm would decide.
    return F.floor(F.log2(n_chars + F.lit(0.5)) * CLASSES_OF_AN_OCTAVE).cast("int")


def _take_next(placed: DataFrame, seed: int) -> DataFrame:
    """Adds ``other_en_source_id``: the text after the pair's own in its cycle, null if alone."""
    # Pages with the same text are one place in the cycle, so none is followed by its like.
    same = Window.partitionBy(*GROUP, "length_class", "en_text_hash")
    place = F.xxhash64(F.lit(seed), F.lit("random"), "target_lang", "text_id")
    cycle = Window.partitionBy(*GROUP, "cycle").orderBy("class_place", "place", "text_id")
    until_here = cycle.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    following = Window.partitionBy(*GROUP, "cycle").orderBy("number").rangeBetween(1, 1)
    other = F.coalesce(F.first("text_id").over(following), F.col("first_id"))
    return (
        placed.withColumn("text_id", F.min("en_source_id").over(same))
        .withColumn("place", place)
        .withColumns(
            {
                "number": F.dense_rank().over(cycle),
                "first_id": F.first("text_id").over(until_here),
            }
        )
        .withColumn("other_en_source_id", F.nullif(other, F.col("text_id")))
    )
