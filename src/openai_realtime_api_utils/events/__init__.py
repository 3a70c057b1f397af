"""Turn frames into typed events, events into frames, and events into what may be shown."""
