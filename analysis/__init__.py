"""What a trained model has learned: families of TFs, and who is near whom."""
