"""What no student and no sandbox ever sees: source notebooks, references, checks, mistakes, reference models."""
