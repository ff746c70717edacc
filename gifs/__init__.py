"""Stickers: our own art as SVG text, and loading and caching of anyone's GIF, WebP or APNG."""
