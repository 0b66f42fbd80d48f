# quick experiment, everything in a namespace
from types import SimpleNamespace
import numpy as np
import torch as th
import torch.nn as nn
import lightning.pytorch as pl

C = SimpleNamespace()
C.lr = 0.1
C.bs = 40
C.n_epochs = 100
C.h = 30
C.momentum = 0.5
C.wd = 5e-4

class Lit(pl.LightningModule):
	# tabs, as our cluster's editor has it
	def __init__(self):
		super().__init__()
		self.a = nn.Linear(16, C.h)
		self.b = nn.Linear(C.h, 4)

	def forward(self, x):
		return self.b(self.a(x).tanh())

	def training_step(self, batch, i):
		x, y = batch
		return th.nn.functional.cross_entropy(self(x), y)

	def validation_step(self, batch, i):
		x, y = batch
		self.log("v", th.nn.functional.cross_entropy(self(x), y))

	def configure_optimizers(self):
		return th.optim.SGD(self.parameters(), lr=C.lr, momentum=C.momentum, weight_decay=C.wd)

def get(split, shuffle):
	z = np.load("dataset/prepdata/v1/" + split + "/signals.npz")
	ds = th.utils.data.TensorDataset(th.from_numpy(z["x"]), th.from_numpy(z["y"]))
	return th.utils.data.DataLoader(ds, batch_size=C.bs, shuffle=shuffle)

pl.seed_everything(8)
t = pl.Trainer(max_epochs=C.n_epochs, enable_progress_bar=False, logger=False)
t.fit(Lit(), get("train", True), get("valid", False))
