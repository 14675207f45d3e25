"""The columns of the gazetteer's files, in order."""

FRANCE_COLUMNS = ("insee", "parent", "kind", "name", "dep", "epci", "population", "lat", "lon", "radius_km")
WORLD_COLUMNS = ("geonameid", "name", "aliases", "country", "admin1", "lat", "lon", "population")
ADMIN_COLUMNS = (
    "kind",  # country, admin1, region, dep, epci
    "code",
    "name",
    "name_en",
    "aliases",
    "country",
    "parent",
    "lat",
    "lon",
    "radius_km",
    "population",
)
FLAG_COLUMNS = ("name", "kinds", "zipf_fr", "zipf_en")  # Zipf: 3 is once a million words, 6 once a thousand
