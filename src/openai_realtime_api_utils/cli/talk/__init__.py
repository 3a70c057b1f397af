"""Be ``realtime talk``: a spoken conversation with a realtime model, shown as it happens."""
