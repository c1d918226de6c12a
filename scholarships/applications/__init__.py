"""One person's answer to one call, from draft to outcome. ``lifecycle`` is the table of states."""
