"""Runs of the allocation: frozen input, result, and a reason for each application."""
