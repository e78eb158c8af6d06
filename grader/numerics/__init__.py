"""Numbers and nothing else: comparison, finite differences, gradient checks, diagnosis. NumPy only, no torch."""
