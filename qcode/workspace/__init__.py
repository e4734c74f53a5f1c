"""The files under the root: read, written, searched, compared."""
