"""Reads: how long studies are kept, what holds them, what is planned and what is gone."""
