"""Who signs in, and which role each has in which scope."""
