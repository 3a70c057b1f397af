"""Hold what is true of a session. Pure: no I/O, no event loop, time is an argument."""
