"""What students handed in: finds it, recovers it where that needs no guess, and says what staff should look at."""
