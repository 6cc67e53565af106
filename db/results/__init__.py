"""What the stages made: captions, prompts and repaints."""
