"""What a model has learned: motifs, contributions to scores, embeddings, enhancers."""
