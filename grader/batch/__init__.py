"""Many submissions at once: who handed in what."""

__all__: list[str] = []
