"""Tokenizers of any form behind one protocol."""
