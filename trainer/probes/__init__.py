"""Probes, one a file: scorers that know too little to be good, and alterations of pictures that a good scorer should not mind."""
