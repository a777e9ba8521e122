"""TreeBridge: generative retrieval over a text tree and a collaborative tree."""
