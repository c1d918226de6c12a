"""Messages to people: who hears of what (catalogue), the rows that wait (outbox), and their delivery."""
