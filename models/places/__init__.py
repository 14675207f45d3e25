"""The gazetteer: the places that Vigie knows, their files, and how the files are built."""

from models.places.gazetteer import Gazetteer, shipped_gazetteer
from models.places.local import LocalPlace, load_local_places

__all__ = ["Gazetteer", "LocalPlace", "load_local_places", "shipped_gazetteer"]
