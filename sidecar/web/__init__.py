"""The page of the hosted rooms: HTML, CSS, scripts and pictures of the poses."""
