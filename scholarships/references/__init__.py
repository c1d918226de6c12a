"""Letters of referees: who is asked, by which link they answer without an account, what they wrote, who may read it."""
