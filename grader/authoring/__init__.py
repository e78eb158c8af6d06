"""What the author of an assignment uses: cutting stubs, composing wrong submissions."""

__all__: list[str] = []
