"""When a model is to be trained again, and the jobs that do it. Floor 3."""
