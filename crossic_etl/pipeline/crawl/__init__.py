"""What the job ``documents`` is made of."""
