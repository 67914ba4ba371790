"""The bundled sample (a small Wikipedia in seven languages and a small crawl) and its builders."""
