"""The tests: unit runs inside the dev stage, the other folders run from outside, against an image or an engine."""
