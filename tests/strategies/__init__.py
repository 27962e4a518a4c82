"""What hostile and honest sides hand in, as Hypothesis draws it; the property tests and the fuzzing share it."""
