"""The demo: an invented world to click through, its people, and the mailbox that keeps every letter.

Nothing in here is mounted in production.
"""
