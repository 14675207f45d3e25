"""Fine-tuning: the published sentence encoder, taught to tell apart what Vigie asks for.

Only `vigie train` needs it, and JAX with it: reading posts takes plain numpy (`sentence_vectors.py`).
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.material import Questions, Recipe
from models.sentence_vectors import BRANCHES, MOST_PIECES, TINY, WIDTH, Floats, Vocabulary, published_network

# The order in which sums are taken must be the same each time; XLA reads this before its first use.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped, unused-ignore]

Tensor = Any  # a JAX array, or what stands for one while a step is compiled
Parameters = dict[str, Tensor]

LEFT_OUT = frozenset({"w2_5", "b2_5"})
"""Half of the second layer's products: the network is taught to do without."""

_TEXTS_AT_ONCE = 32
_SORTED_AT_ONCE = 20 * _TEXTS_AT_ONCE  # texts of one length come together, and yet in another order each time
_LENGTH_STEP = 16  # pieces; each length is compiled once


def tuned(
    texts: Sequence[Sequence[int]], questions: Questions, vocabulary: Vocabulary, recipe: Recipe
) -> dict[str, Floats]:
    """Return the tuned network, and the opinions' `meaning` and `meaning_offset`, in float32.

    Shape   texts as pieces, a row of questions each. The same input gives the same arrays on one machine
    """
    order = np.random.default_rng(recipe.seed)
    network = {name: jnp.asarray(array) for name, array in published_network().items() if name not in LEFT_OUT}
    columns = questions.answers.shape[1]
    heads = {"meaning": jnp.zeros((WIDTH, columns)), "meaning_offset": jnp.zeros(columns)}
    steps = recipe.rounds * -(-len(texts) // _TEXTS_AT_ONCE)
    optimizer = optax.multi_transform(
        {"network": optax.adam(_rate(recipe.encoder_rate, steps)), "heads": optax.adam(_rate(recipe.head_rate, steps))},
        ({**dict.fromkeys(network, "network"), **dict.fromkeys(heads, "heads")}),
    )
    parameters: Parameters = network | heads
    state = optimizer.init(parameters)
    chance = jax.random.PRNGKey(recipe.seed)

    @jax.jit
    def step(parameters: Parameters, state: Any, batch: tuple[Floats, ...], chance: Tensor) -> tuple[Any, ...]:
        slopes = jax.grad(_loss)(parameters, batch, questions.first_choice, recipe.dropout, chance)
        moves, state = optimizer.update(slopes, state)
        return optax.apply_updates(parameters, moves), state

    for _ in range(recipe.rounds):
        for rows in _batches([len(text) for text in texts], order):
            numbers, is_piece = _numbers([texts[row] for row in rows], vocabulary)
            numbers[order.random(is_piece.shape) < recipe.pieces_dropped] = 0
            batch = numbers, is_piece, *(a[rows].astype(np.float32) for a in (questions.answers, questions.weights))
            chance, now = jax.random.split(chance)
            parameters, state = step(parameters, state, batch, now)
    learned = {name: np.asarray(array, dtype=np.float32) for name, array in parameters.items()}
    learned["meaning"] = learned["meaning"] * np.float32(np.sqrt(WIDTH))
    return learned


def _rate(highest: float, steps: int) -> Any:
    return optax.warmup_cosine_decay_schedule(0, highest, max(1, steps // 10), steps, highest / 50)


def _batches(lengths: Sequence[int], order: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each batch, all full: texts of about one length, in another order each time."""
    shuffled = order.permutation(len(lengths))
    shuffled = np.concatenate((shuffled, shuffled[: -len(lengths) % _TEXTS_AT_ONCE]))
    batches = []
    for start in range(0, len(shuffled), _SORTED_AT_ONCE):
        part = shuffled[start : start + _SORTED_AT_ONCE]
        part = part[np.argsort(np.asarray(lengths)[part], kind="stable")]
        batches += list(part.reshape(-1, _TEXTS_AT_ONCE))
    yield from (batches[number] for number in order.permutation(len(batches)))


def _numbers(texts: Sequence[Sequence[int]], vocabulary: Vocabulary) -> tuple[Floats, Floats]:
    longest = min(-(-max(len(text) for text in texts) // _LENGTH_STEP) * _LENGTH_STEP, MOST_PIECES)
    pieces = np.zeros((len(texts), longest), dtype=np.int64)
    is_piece = np.zeros(pieces.shape, dtype=np.float32)
    for row, text in enumerate(texts):
        pieces[row, : len(text)] = text
        is_piece[row, : len(text)] = 1
    return vocabulary.numbers(pieces.ravel()).reshape(*pieces.shape, WIDTH), is_piece


def _loss(parameters: Parameters, batch: tuple[Tensor, ...], first_choice: int, dropout: float, chance: Tensor) -> Any:
    numbers, is_piece, answers, weights = batch
    opinions = _opinions(parameters, numbers, is_piece, dropout, chance)
    alone = optax.sigmoid_binary_cross_entropy(opinions[:, :first_choice], answers[:, :first_choice])
    choice = optax.softmax_cross_entropy(opinions[:, first_choice:], answers[:, first_choice:])
    return ((alone * weights[:, :first_choice]).sum() + (choice * weights[:, first_choice]).sum()) / len(answers)


def _opinions(net: Parameters, numbers: Tensor, is_piece: Tensor, dropout: float, chance: Tensor) -> Tensor:
    """Return the opinions: the same network as SentenceVectors, on padded texts, with dropout."""
    mask = is_piece[..., None]
    seen = [numbers]
    channels = _side_by_side([numbers @ net[f"proj{branch}"] + net[f"proj_b{branch}"] for branch in BRANCHES])
    gain, offset = (_side_by_side([net[f"{name}{branch}"] for branch in BRANCHES]) for name in ("ln_g", "ln_b"))
    channels = _normalised(channels, gain, offset)
    for (branch, before), own in zip(BRANCHES.items(), jnp.split(channels, len(BRANCHES), axis=-1), strict=True):
        hidden = _window(own * mask, net[f"w1_{branch}"], net[f"b1_{branch}"], branch, before) + own
        if f"w2_{branch}" in net:
            hidden = _window(hidden * mask, net[f"w2_{branch}"], net[f"b2_{branch}"], branch, before) + hidden
        seen.append(hidden)
    every = _normalised(_side_by_side(seen), net["ln_g"], net["ln_b"]) * mask
    counts = mask.sum(axis=1)
    mean = (every.sum(axis=1) @ net["cnn_W"] + counts * net["cnn_b"]) / jnp.sqrt(counts)
    mean_chance, hidden_chance = jax.random.split(chance)
    mean = _dropped(mean, dropout, mean_chance)
    hidden = _dropped(jax.nn.relu(mean @ net["d0"]), dropout, hidden_chance)
    one = jax.nn.relu(mean @ net["p1"] + hidden @ net["d1"])
    vectors = jnp.tanh(one @ net["p3"] + jax.nn.relu(one @ net["d2"]) @ net["d3"])
    vectors /= jnp.sqrt(jnp.maximum((vectors * vectors).sum(axis=-1, keepdims=True), TINY))
    return vectors * np.sqrt(WIDTH) @ net["meaning"] + net["meaning_offset"]


def _normalised(rows: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    rows -= rows.mean(axis=-1, keepdims=True)
    return rows / jnp.sqrt((rows * rows).mean(axis=-1, keepdims=True) + TINY) * gain + offset


def _window(rows: Tensor, weights: Tensor, offset: Tensor, branch: int, before: int) -> Tensor:
    padded = jnp.pad(rows, ((0, 0), (before, branch - 1 - before), (0, 0)))
    window = _side_by_side([padded[:, place : place + rows.shape[1]] for place in range(branch)])
    return jax.nn.relu(window @ weights + offset)


def _side_by_side(parts: Sequence[Tensor]) -> Tensor:
    return jnp.concatenate(parts, axis=-1)


def _dropped(rows: Tensor, share: float, chance: Tensor) -> Tensor:
    return jnp.where(jax.random.bernoulli(chance, 1 - share, rows.shape), rows / (1 - share), 0)
