"""How good a head is: metrics beside frozen CLIP and chance, for new and for saved models, and the comparison of two images."""
