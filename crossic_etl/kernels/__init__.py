"""Plain Python, numpy and pyarrow: the parts that need no Spark."""
