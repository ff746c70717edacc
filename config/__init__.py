"""Settings, the reaction table and the exception tree. Imports no other package of ours."""
