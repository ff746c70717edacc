"""Teach, train and measure models with pictures: what ``sidecar model`` does."""
