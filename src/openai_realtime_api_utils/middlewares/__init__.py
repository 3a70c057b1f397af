"""Be the handlers that a voice application hooks; each thin, its thinking in ``state``."""
