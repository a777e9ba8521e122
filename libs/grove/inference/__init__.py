"""From trained weights to vectors and ranked lists."""
