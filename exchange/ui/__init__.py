"""Presentation that all verb rooms share: guards, forms, paging, template tags, error pages. No rule in here."""
