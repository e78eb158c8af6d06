"""The report: one published, versioned format, and everything that is rendered from it."""
