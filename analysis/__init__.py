"""What a trained model tells beside tracks: who is like whom, what enhancers share."""
