"""Settings of a run of a few dozen steps on a tiny model."""

from realign_core.training.settings import ModelSize, Settings

TINY = ModelSize(embedding=16, patch=16, image_width=32, image_layers=1, text_width=32, text_layers=1)
SHORT = Settings(
    steps=40,
    batch=16,
    every=10,
    probe=24,
    pool=64,
    learning_rate=3e-3,
    warmup=5,
    gradient_rows=16,
    model=TINY,
)
