"""The applicant: fill in at one's own pace, hand in, get a receipt, follow, answer an offer."""
