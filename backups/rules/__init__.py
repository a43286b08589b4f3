"""Generations, what is in them and until when; ledgers; what is refused: pure."""
