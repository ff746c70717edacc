"""The formats of other tools: a reader and a writer each."""
