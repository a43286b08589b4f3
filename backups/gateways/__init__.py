"""The outside world: places for copies, the programs that dump and load databases."""
