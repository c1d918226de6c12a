"""What the system holds about people: for which purpose, for how long, and how it is erased.

Each model says it beside its fields (``PERSONAL``, ``NOT_PERSONAL``); a test holds the
declarations complete.
"""
