"""A person's papers: uploaded once, checked, rebuilt clean, used by many applications."""
