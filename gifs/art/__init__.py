"""Our stickers and effects as SVG text and descriptions of how they move."""
