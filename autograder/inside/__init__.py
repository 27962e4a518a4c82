"""The only code that enters a sandbox. It imports nothing else of this project."""
