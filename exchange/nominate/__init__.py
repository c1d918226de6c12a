"""The nominating body: check papers, rank, send within its places."""
