"""Files of windows as trainers read them."""
