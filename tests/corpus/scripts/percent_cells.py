# %% [markdown]
# Try a small net on the waves

# %%
from pathlib import Path
from types import SimpleNamespace

import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn.functional as F

# %% settings
hp = SimpleNamespace(lr=3e-3, bs=32, epochs=20, width=64, p=0.1, wd=1e-4)
root = Path("dataset") / "prepdata" / "v1"
pl.seed_everything(0)


# %% data
def loader(split, **kw):
    z = np.load(root / split / "signals.npz")
    ds = torch.utils.data.TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return torch.utils.data.DataLoader(ds, batch_size=hp.bs, **kw)


# %% model
class Lit(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.l1 = torch.nn.Linear(16, hp.width)
        self.l2 = torch.nn.Linear(hp.width, hp.width)
        self.do = torch.nn.Dropout(hp.p)
        self.l3 = torch.nn.Linear(hp.width, 4)

    def forward(self, x):
        x = F.relu(self.l1(x))
        x = self.do(F.relu(self.l2(x)))
        return self.l3(x)

    def shared(self, b, name):
        l = F.cross_entropy(self(b[0]), b[1])
        self.log(f"{name}_loss", l, prog_bar=True)
        return l

    def training_step(self, b, _):
        return self.shared(b, "train")

    def validation_step(self, b, _):
        self.shared(b, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=hp.lr, weight_decay=hp.wd)


# %% fit
lit = Lit()
tr = pl.Trainer(max_epochs=hp.epochs, default_root_dir="Models/Artifacts/baseline", enable_progress_bar=False)
tr.fit(lit, train_dataloaders=loader("train", shuffle=True), val_dataloaders=loader("valid"))
# %%
tr.callback_metrics
