"""One module for each job: it reads tables, calls transforms and writes tables."""
