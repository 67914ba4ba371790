"""Windows to folders of shards with a manifest."""
