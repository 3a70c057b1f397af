"""Be a Realtime server that needs no key and no network. Sees floors 0 and 1 only."""
