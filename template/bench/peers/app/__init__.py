"""The app that every style of image serves."""
