"""Requests of data subjects: kinds, laws, clocks, states. Pure."""
