"""What the recorded metrics say about the state of the service. Floor 3."""
