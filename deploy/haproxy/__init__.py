"""Two containers behind HAProxy."""
