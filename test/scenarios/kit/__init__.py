"""What the scenarios drive blackponyd and blackpony with."""
