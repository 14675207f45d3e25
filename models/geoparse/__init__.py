"""From text to places: finds the names in a post, decides which place each means, and says why."""

from models.geoparse.geoparser import Geoparser

__all__ = ["Geoparser"]
