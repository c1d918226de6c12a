"""Who reviews what, how it was scored, and what a reviewer may see of a file."""
