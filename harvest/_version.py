"""The version, on its own, so that everybody may ask for it."""

__version__ = "0.1.0"
