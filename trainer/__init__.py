"""Embeddings, splits, triplets, the siamese model, its evaluation, the report."""
