"""The pages of the inbox, by noun."""
