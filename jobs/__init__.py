"""The jobs: each reads, transforms and writes one table, and prints one line of counts."""
