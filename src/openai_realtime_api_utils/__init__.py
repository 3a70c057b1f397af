"""Middlewares for voice applications on OpenAI's Realtime API, over your own connection."""
