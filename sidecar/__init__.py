"""Everything that talks: media plane, meeting rooms, server, command line."""
