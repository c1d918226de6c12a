"""The officer's pages, by noun."""
