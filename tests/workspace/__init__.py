"""The files under the root."""
