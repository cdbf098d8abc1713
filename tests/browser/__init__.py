"""The page in a browser, served by the production image: scripts/verify runs these."""
