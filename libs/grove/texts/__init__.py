"""Text embeddings: the text of an item, a local encoder, and the fingerprint of an encoder."""
