"""Black-box tests of the image that the variable IMAGE names."""
