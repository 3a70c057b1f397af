"""Compute on samples; no device, no file, no clock. Needs numpy (extra ``audio``) except for ``formats``."""
