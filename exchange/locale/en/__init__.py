"""English, as it is written from Astana to Beijing: the day before the month."""
