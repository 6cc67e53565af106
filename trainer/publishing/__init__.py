"""A trained model for others: its card, to and from the Hugging Face hub, as ONNX, as a module of sentence-transformers."""
