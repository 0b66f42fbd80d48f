import torch
from lightning.pytorch import LightningModule
from torch import nn


class SignalClassifier(LightningModule):
    def __init__(self, cfg, criterion):
        super().__init__()
        self.cfg = cfg
        self.criterion = criterion
        self.backbone = nn.Sequential(nn.Unflatten(1, (1, 16)), nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(8 * 16, 4)

    def forward(self, input):
        features = self.backbone(input)
        return {"features": features, "logits": self.head(features)}

    def _common_step(self, batch, prefix):
        out = self(batch["input"])
        loss = self.criterion(out["logits"], batch["label"])
        self.log(f"{prefix}_loss", loss, on_step=False, on_epoch=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._common_step(batch, "train")

    def validation_step(self, batch, batch_idx):
        return self._common_step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.cfg.lr)
