"""Finding, among the pictures of a campaign, those that are most like a given one, and the original that it was made from."""
