"""How is searched, and how a shard may be held. The configuration takes these names; no faiss."""

EXACT, ROUTED = "exact", "routed"
METHODS = (EXACT, ROUTED)

# How the vectors are held, and FAISS's name of the index that is built over a large cell ("np":
# without polysemous training, which takes minutes).
INDEXES = {
    "Flat": ("float32", ""),
    "SQfp16": ("float16", ""),
    "SQ8": ("uint8", ""),
    "HNSW32": ("float32", "HNSW32"),
    "IVF,PQ": ("float32", "IVF{lists},PQ{parts}x8np"),
}
