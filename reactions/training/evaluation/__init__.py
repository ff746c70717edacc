"""How the shipped recogniser does on streams of photos, clips and mannequins."""
