"""How many places there are, in every dimension, and the ledger of what became of each."""
