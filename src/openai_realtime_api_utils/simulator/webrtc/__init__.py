"""Calls by WebRTC, as browsers make them: sound on tracks, events on a data channel."""
