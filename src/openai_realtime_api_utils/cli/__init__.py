"""Be the ``realtime`` command."""
