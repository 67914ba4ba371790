"""Records of web crawls: read, filtered, kept or dropped."""
