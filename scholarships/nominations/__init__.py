"""Bodies check, rank and send their candidates, each within its own places."""
