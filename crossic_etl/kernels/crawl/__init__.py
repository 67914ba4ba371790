"""Records of web crawls: read, judged, kept or dropped."""
