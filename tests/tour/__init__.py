"""The walk of docs/tour.md, done by a real Chromium, which takes its pictures: ``python -m tests.tour``."""
