"""Counts of people over de-identified groups, of which none tells of a small one. Pure (C40)."""
