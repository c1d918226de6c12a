"""The visitor: open calls, what they pay and ask, programmes, and "can I apply?" before any account."""
