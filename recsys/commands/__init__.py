"""The commands of run.py, one a file. Floor 3, at its top: nothing of recsys imports them."""
