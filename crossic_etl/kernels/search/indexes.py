"""Names of search methods and shard indexes for the configuration. Imports no faiss."""

EXACT, ROUTED = "exact", "routed"
METHODS = (EXACT, ROUTED)

# How vectors are stored, and FAISS's factory string of the index over a large cell ("np" leaves
# out polysemous training, which takes minutes).
INDEXES = {
    "Flat": ("float32", ""),
    "SQfp16": ("float16", ""),
    "SQ8": ("uint8", ""),
    "HNSW32": ("float32", "HNSW32"),
    "IVF,PQ": ("float32", "IVF{lists},PQ{parts}x8np"),
}
