"""Regenerate the bundled samples: `python -m realign_core.samples.make`.

They are synthetic. Scenes are drawn from a small grammar; each scene has a meaning vector, and two
"encoders" see it through their own mixing, mean and anisotropic noise, as the fixed-frame theory describes
real contrastive encoders. What they show is the machinery, not a finding about any trained model.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "data"
SEED = 2026
ROWS = 1500
DIM = 128

GRAMMAR = {
    "shape": ["ball", "cube", "cone", "ring", "star", "pyramid", "cylinder", "heart"],
    "colour": ["red", "green", "blue", "yellow", "white", "black", "purple", "orange"],
    "size": ["tiny", "small", "large"],
    "texture": ["smooth", "striped", "dotted", "rough"],
    "place": ["on grass", "on sand", "on a table", "in the snow", "under water"],
    "count": ["one", "two", "three", "four"],
}
WEIGHTS = {"shape": 1.0, "colour": 0.8, "size": 0.35, "texture": 0.45, "place": 0.6, "count": 0.4}
TEMPLATES = [
    "{count} {size} {texture} {colour} {shape}{s} {place}",
    "a picture of {count} {colour} {shape}{s} {place}, {size} and {texture}",
    "{place}: {count} {texture} {shape}{s}, {colour}, {size}",
]


def scenes(n: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Indices `(n,)` into each list of the grammar."""
    return {name: generator.integers(0, len(values), n) for name, values in GRAMMAR.items()}


def captions(drawn: dict[str, np.ndarray], generator: np.random.Generator) -> list[str]:
    """One sentence a scene, in varied wording."""
    sentences = []
    for row in range(len(drawn["shape"])):
        words = {name: GRAMMAR[name][index[row]] for name, index in drawn.items()}
        words["s"] = "" if words["count"] == "one" else "s"
        sentences.append(TEMPLATES[generator.integers(len(TEMPLATES))].format(**words))
    return sentences


def meanings(drawn: dict[str, np.ndarray], generator: np.random.Generator, dim: int) -> np.ndarray:
    """Meaning vectors `(n, dim)` of unit mean square: one direction a word, and one a pair of words."""
    total = np.zeros((len(drawn["shape"]), dim))
    for name, index in drawn.items():
        total += WEIGHTS[name] * generator.standard_normal((len(GRAMMAR[name]), dim))[index]
    pair = drawn["shape"] * len(GRAMMAR["colour"]) + drawn["colour"]
    total += 0.5 * generator.standard_normal((pair.max() + 1, dim))[pair]
    total -= total.mean(axis=0)
    return total / np.sqrt((total**2).sum(axis=1).mean())


def encode(
    meaning: np.ndarray, mixing: np.ndarray, mean: np.ndarray, own: float, generator: np.random.Generator
) -> np.ndarray:
    """Unit rows `(n, DIM)`: mean, mixed meaning, noise of power-law spectrum in a basis of its own."""
    decay = np.arange(1, DIM + 1) ** -0.6
    decay /= np.linalg.norm(decay)
    basis, _ = np.linalg.qr(generator.standard_normal((DIM, DIM)))
    noise = (generator.standard_normal((len(meaning), DIM)) * decay) @ basis.T
    rows = mean + 0.62 * meaning @ mixing + own * noise
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def build(gap: bool, seed: int) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Target, source `(ROWS, DIM)`, captions and labels of one sample."""
    generator = np.random.default_rng(seed)
    drawn = scenes(ROWS, generator)
    sentences = captions(drawn, generator)
    meaning = meanings(drawn, generator, DIM)
    shared, _ = np.linalg.qr(generator.standard_normal((DIM, DIM)))
    shared *= (np.arange(1, DIM + 1) ** -0.35 / (np.arange(1, DIM + 1) ** -0.35).mean())[:, None] ** 0.5
    twist, triangle = np.linalg.qr(np.eye(DIM) + 0.045 * generator.standard_normal((DIM, DIM)))
    # LAPACK leaves the signs open; these make the twist a small rotation.
    twist *= np.sign(np.diag(triangle))
    common, *apart = generator.standard_normal((3, DIM)) / np.sqrt(DIM)
    means = [0.45 * common + (0.62 if gap else 0.05) * direction for direction in apart]
    target = encode(meaning, shared, means[0], 0.42, generator)
    source = encode(meaning, shared @ (twist if gap else np.eye(DIM)), means[1], 0.42, generator)
    labels = [GRAMMAR["shape"][index] for index in drawn["shape"]]
    return target, source, sentences, labels


def main() -> None:
    """Write both samples and their cards."""
    FOLDER.mkdir(exist_ok=True)
    cards = {
        "scenes": ("Synthetic scenes with a modality gap", True, SEED),
        "no_gap": ("Control: the same scenes without a gap", False, SEED + 1),
    }
    for name, (title, gap, seed) in cards.items():
        target, source, sentences, labels = build(gap, seed)
        embedding = pa.list_(pa.float16(), DIM)
        columns = {
            "image": pa.FixedSizeListArray.from_arrays(pa.array(target.astype(np.float16).ravel()), DIM),
            "text": pa.FixedSizeListArray.from_arrays(pa.array(source.astype(np.float16).ravel()), DIM),
            "caption": pa.array(sentences),
            "label": pa.array(labels),
        }
        table = pa.table(
            {
                key: values.cast(embedding) if key in ("image", "text") else values
                for key, values in columns.items()
            }
        )
        pq.write_table(table, FOLDER / f"{name}.parquet", compression="zstd")
        card = {
            "title": title,
            "rows": ROWS,
            "dimension": DIM,
            "seed": seed,
            "made_by": "realign_core/samples/make.py",
            "about": "Synthetic pairs from a grammar of scenes, seen by two simulated encoders. "
            "They show how the tool works; they are no evidence about a trained model.",
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()
