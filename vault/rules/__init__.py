"""Pure rules of the vault: formats, wraps, indexes. No ORM, no clock, no network."""
