"""Web crawls: reads their records and filters their documents."""
