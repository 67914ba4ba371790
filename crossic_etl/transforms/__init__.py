"""DataFrame to DataFrame: nothing here reads, writes, caches, counts or looks for a session."""
