"""Languages by their letters: py3langid's model, cut to the languages that Vigie tells apart.

The package's own file holds 139 languages and takes half a second to unpack, at every start; what is cut from it once
gives the same answers. `vigie build-languages` writes it.
"""

from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models.places.tables import LEVEL
from records import BrokenInvariant

LETTERS = Path(__file__).parent / "languages" / "letters.npz.zst"


def cut_from_package(languages: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of the installed package's model that some languages need."""
    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(languages)
    return {
        "weights": np.asarray(whole.nb_ptc),
        "base_rates": np.asarray(whole.nb_pc),
        "languages": np.array(whole.nb_classes),
        "next_state": np.frombuffer(whole.tk_nextmove, dtype=whole.tk_nextmove.typecode),
        "row_of_state": np.frombuffer(whole.tk_row, dtype=whole.tk_row.typecode),
        "feature_of_state": np.array(whole.tk_output, dtype=np.int32),
    }


def write_letters(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write the arrays, the same byte for byte each time."""
    body = BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    path.write_bytes(bytes(cramjam.zstd.compress(body.getvalue(), level=LEVEL)))


def read_arrays(path: Path = LETTERS) -> dict[str, NDArray[Any]]:
    """Return the arrays that `write_letters` wrote.

    Errors  BrokenInvariant where the file cannot be read
    """
    try:
        body = bytes(cramjam.zstd.decompress(path.read_bytes()))
    except (OSError, cramjam.DecompressionError) as error:
        raise BrokenInvariant(f"{path}: the languages cannot be read ({error}): reinstall Vigie") from error
    with np.load(BytesIO(body), allow_pickle=False) as arrays:
        return dict(arrays)


def read_letters() -> LanguageIdentifier:
    """Return what names a text's language by its letters.

    Errors  BrokenInvariant where the file cannot be read
    Source  Lui and Baldwin, ACL 2012 (langid.py); py3langid 0.4.0, BSD 3-Clause
    """
    arrays = read_arrays()
    return LanguageIdentifier(
        arrays["weights"],
        arrays["base_rates"],
        arrays["languages"].tolist(),
        arrays["next_state"].data,  # looked into one number at a time, and not copied
        arrays["feature_of_state"].tolist(),
        norm_probs=True,
        tk_row=arrays["row_of_state"].tolist(),
    )
