"""Scores of images, each with its whole protocol."""
