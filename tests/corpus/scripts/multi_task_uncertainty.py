"""Two tasks from one trunk, weighed by learned uncertainties (log variances)."""
import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

TASKS = ("label", "peak")


class TwoTargets(Dataset):
    def __init__(self, split: str):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        self.x = torch.from_numpy(z["x"])
        self.targets = {"label": torch.from_numpy(z["y"]), "peak": self.x.max(1).values}

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return {"x": self.x[i], **{task: self.targets[task][i] for task in TASKS}}


class MultiTaskModel(L.LightningModule):
    def __init__(self, lr: float = 4e-3, hidden: int = 40) -> None:
        super().__init__()
        self.lr = lr
        self.trunk = nn.Sequential(nn.Linear(16, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.heads = nn.ModuleDict({"label": nn.Linear(hidden, 4), "peak": nn.Linear(hidden, 1)})
        self.losses = {"label": nn.CrossEntropyLoss(), "peak": nn.MSELoss()}
        self.log_vars = nn.Parameter(torch.zeros(len(TASKS)))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        h = self.trunk(x)
        return {"label": self.heads["label"](h), "peak": self.heads["peak"](h).squeeze(1)}

    def weighted(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        out = self(batch["x"])
        single = {task: self.losses[task](out[task], batch[task]) for task in TASKS}
        total = sum(torch.exp(-v) * single[task] + v for task, v in zip(TASKS, self.log_vars))
        return total, single

    def training_step(self, batch, batch_idx):
        total, single = self.weighted(batch)
        self.log_dict({f"train_{k}": v for k, v in single.items()})
        return total

    def validation_step(self, batch, batch_idx):
        _, single = self.weighted(batch)
        self.log("val_loss", single["label"], batch_size=len(batch["x"]))
        self.log("val_peak", single["peak"], batch_size=len(batch["x"]))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=1e-3)


if __name__ == "__main__":
    L.seed_everything(46)
    trainer = L.Trainer(max_epochs=14, logger=False, enable_progress_bar=False)
    trainer.fit(
        MultiTaskModel(), DataLoader(TwoTargets("train"), 32, shuffle=True), DataLoader(TwoTargets("valid"), 32)
    )
