"""What the scenarios use to run blackponyd and blackpony."""
