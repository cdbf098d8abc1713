"""The parts of the project that only the template itself needs."""
