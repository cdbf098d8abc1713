"""What is about the template itself, and leaves with the sample."""
