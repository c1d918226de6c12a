"""What happened: one row each, written in the transaction in which it happened.

The row is the audit trail and the source of every notification. It holds no personal text.
"""
