"""Fine-tuning the image tower of a CLIP on pairs of originals and repaints, from their images."""
