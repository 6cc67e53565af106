"""What a training computes on: originals, embeddings, splits, triplets, and their rows in one matrix."""
