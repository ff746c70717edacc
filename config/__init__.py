"""Ground floor: typed settings, the reaction table, and the one exception tree."""
