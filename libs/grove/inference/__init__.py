"""Loading models, exact top K and interleaving lists; what the readers of all systems share."""
