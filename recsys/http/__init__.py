"""The HTTP face of the service. Floor 3; the rest of recsys never imports it."""
