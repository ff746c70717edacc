"""How the shipped recogniser does on streams: photos, clips and mannequins as a meeting sees them."""
