"""The forms of the officer, by noun."""
