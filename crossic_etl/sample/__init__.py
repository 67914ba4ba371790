"""The bundled sample, a small Wikipedia in seven languages, and the builder of its dump files."""
