"""How long, why, what stops it, and what is done afterwards: plain functions and tables."""
