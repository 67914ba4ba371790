"""One module for each job: reads tables, calls transforms, writes tables."""
