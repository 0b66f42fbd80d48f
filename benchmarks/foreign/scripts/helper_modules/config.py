from dataclasses import dataclass


@dataclass
class Config:
    data_root: str = "dataset/prepdata/v1"
    checkpoint_dir: str = "output/checkpoints"
    batch_size: int = 36
    epochs: int = 3
    lr: float = 8e-3
    seed: int = 31
    poly_epsilon: float = 1.0
    shift: float = 50.0
    scale: float = 12.0


def get_config(**overrides) -> Config:
    return Config(**overrides)
