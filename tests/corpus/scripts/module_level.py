import torch, lightning as L
from torch.nn import Linear, ReLU, Sequential, CrossEntropyLoss
import numpy as np
d = np.load("dataset/prepdata/v1/train/signals.npz"); v = np.load("dataset/prepdata/v1/valid/signals.npz")
batch_size, lr, epochs, momentum = 32, .05, 200, .9
torch.manual_seed(0)
train = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(d["x"]), torch.tensor(d["y"])), batch_size=batch_size, shuffle=True)
val = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(v["x"]), torch.tensor(v["y"])), batch_size=batch_size)
class M(L.LightningModule):
    def __init__(self):
        super().__init__(); self.m = Sequential(Linear(16, 50), ReLU(), Linear(50, 50), ReLU(), Linear(50, 4)); self.l = CrossEntropyLoss()
    def training_step(self, b, i): return self.l(self.m(b[0]), b[1])
    def validation_step(self, b, i): self.log("val_loss", self.l(self.m(b[0]), b[1]))
    def configure_optimizers(self): return torch.optim.SGD(self.m.parameters(), lr, momentum)
L.Trainer(max_epochs=epochs, logger=False, enable_progress_bar=False).fit(M(), train, val)
