"""What law lets or makes the organisation give out, and what has to be done before. Pure."""
