"""What a policy pack may say and what follows from it. Pure."""
