"""Text in any script: normalised, cut at sentences, compared, identified."""
