"""THE RULES: what exists, who may, what changes.

No request, no page and no e-mail in here. Rooms are nouns, in the order of an application's
life; each imports only earlier ones (tests/test_architecture.py holds the order).
"""
