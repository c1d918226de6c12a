"""THE SITE: what people see and do. Rooms are verbs, one per person who comes.

exchange imports scholarships, never the other way round.
"""
