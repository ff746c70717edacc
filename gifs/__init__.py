"""Stickers: shipped ones, drawn as SVG text, and users' GIF, WebP and APNG files."""
