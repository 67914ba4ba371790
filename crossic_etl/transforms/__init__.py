"""From DataFrame to DataFrame: nothing here reads, writes, caches, counts or finds a session."""
