"""Events to an MQTT broker, for home and office automation."""
