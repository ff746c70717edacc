"""One module a kind of input; each lists its targets in ``TARGETS``."""
