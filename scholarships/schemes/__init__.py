"""Standing sources of scholarships (SCO, bilateral, university, joint programme) and what they pay."""
