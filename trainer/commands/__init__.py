"""The trainer's commands, one a file; they load torch when they run, not when they are named."""
