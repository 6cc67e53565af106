"""What the operator does: read catalogues, plan campaigns, watch and steer them, from the command line."""
