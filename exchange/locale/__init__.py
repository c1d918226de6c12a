"""Catalogues and date formats, a folder for each language."""
