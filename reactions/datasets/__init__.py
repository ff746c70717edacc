"""Pictures with labels: import, export, split, check, plot."""
