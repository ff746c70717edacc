"""Data sets beyond files: labelled on a page, collected from the web, taken from meetings."""
