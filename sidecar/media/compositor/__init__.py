"""The composite: layout, drawing in I420, stickers, and the clock that renders it."""
