"""What runs the production image where one container is not enough, and what shows that it does."""
