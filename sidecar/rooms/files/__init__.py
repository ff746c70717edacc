"""Files, webcams and RTSP cameras as a room: each is a participant."""
