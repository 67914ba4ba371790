"""What a session on this machine needs before Java starts. Imports no Spark."""
