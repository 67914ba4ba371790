"""Connected components of a graph, in rounds of two operations. The caller stages each round.

Large-star and small-star are applied in turns (Kiveris et al., Connected Components in MapReduce
and Beyond, SoCC 2014, algorithms 3 to 6). Both keep the components and never add edges. A graph
that they no longer change is a forest of stars around the lowest nodes. Each round at least halves
the paths, so a logarithmic number of rounds is enough in practice (its square is proven).
"""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.dedup.components import find_components
from crossic_etl.transforms.arrow import Batches, Row, to_batches

MEMBERS = T.StructType([T.StructField(name, T.StringType()) for name in ("node", "root")])


def do_round(edges: DataFrame) -> DataFrame:
    """``a, b``: the graph after a large-star and a small-star, each edge once."""
    return small_star(large_star(edges))


def large_star(edges: DataFrame) -> DataFrame:
    """Links each node's higher neighbours to the lowest of the node and all its neighbours.

    An edge may come several times, but no edges are added; `small_star` removes repeated edges.
    """
    ends = F.array(_pair("a", "b"), _pair("b", "a"))
    near = edges.select(F.explode(ends).alias("end")).select("end.*")
    lowest = F.least("node", _lowest_neighbour())
    linked = near.withColumn("lowest", lowest).where(F.col("near") > F.col("node"))
    return linked.select(F.col("near").alias("a"), F.col("lowest").alias("b"))


def small_star(edges: DataFrame) -> DataFrame:
    """Links each node and its lower neighbours to the lowest of them."""
    low, high = F.least("a", "b"), F.greatest("a", "b")
    near = edges.select(high.alias("node"), low.alias("near"))
    linked = near.withColumn("lowest", _lowest_neighbour())
    ends = F.explode(F.array("node", "near")).alias("a")
    return linked.select(ends, F.col("lowest").alias("b")).where("a != b").distinct()


def _pair(node: str, near: str) -> Column:
    return F.struct(F.col(node).alias("node"), F.col(near).alias("near"))


def _lowest_neighbour() -> Column:
    return F.min("near").over(Window.partitionBy("node"))


def fingerprint(edges: DataFrame) -> DataFrame:
    """One row, ``n, hash``, which is the same for the same edges in any order."""
    total = F.sum(F.xxhash64("a", "b").cast("decimal(38,0)"))
    return edges.agg(F.count("*").alias("n"), F.coalesce(total, F.lit(0)).alias("hash"))


def list_members(stars: DataFrame) -> DataFrame:
    """``node, root``: each node once, from a forest of stars (``a, b``; b is the centre)."""
    leaves = stars.select(F.col("a").alias("node"), F.col("b").alias("root"))
    centres = stars.select(F.col("b").alias("node"), F.col("b").alias("root")).distinct()
    return leaves.unionByName(centres)


def find_members(edges: DataFrame) -> DataFrame:
    """``node, root``: each node once. One task holds the whole graph in memory."""

    def run(batches: Batches) -> Batches:
        pairs = (
            pair
            for batch in batches
            for pair in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        )

        def rows() -> Iterator[Row]:
            for node, root in find_components(pairs).items():
                yield {"node": node, "root": root}

        yield from to_batches(rows(), MEMBERS)

    return edges.select("a", "b").repartition(1).mapInArrow(run, MEMBERS)
