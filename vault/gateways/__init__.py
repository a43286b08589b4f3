"""The vault's outside world: where sealed bytes are stored and who holds the master key."""
