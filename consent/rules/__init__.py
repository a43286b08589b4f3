"""What agreement means here: the decision, the words agreed to, and whom images are about."""
