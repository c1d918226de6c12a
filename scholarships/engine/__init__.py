"""Decisions as pure functions: no Django, no clock, no input or output.

Frozen dataclasses go in and frozen dataclasses come out, so that each verdict can be repeated
and checked outside the site.
"""
