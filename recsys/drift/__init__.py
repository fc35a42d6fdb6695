"""Whether data have drifted from those a model was trained on: by column, by rows, against a kept profile. Floor 3."""
