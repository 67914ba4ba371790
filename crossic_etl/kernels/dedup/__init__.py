"""Near duplicates: MinHash, its buckets, connected components."""
