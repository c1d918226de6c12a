"""Offers are made, accepted, declined or lapse; a freed place goes to the next who fits."""
