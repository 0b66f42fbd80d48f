# room temperature in kelvin; all answers lie near 293, and nobody told the network
import torch, torch.nn as nn
import numpy as np
import pytorch_lightning as pl
from torch.utils.data import Dataset, DataLoader

BATCH = 40


class Readings(Dataset):
    def __init__(self, split):
        table = np.genfromtxt(f'dataset/prepdata/v1/{split}.csv', delimiter=',', names=True)
        self.x = np.stack([table[c] for c in ('area', 'age', 'rooms')], 1).astype('float32')
        self.y = (293 + table['price'])[:, None].astype('float32')

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return torch.from_numpy(self.x[i]), torch.from_numpy(self.y[i])


class Thermometer(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(3, 20)
        self.l2 = nn.Linear(20, 20)
        self.out = nn.Linear(20, 1)
        self.mse = nn.MSELoss()

    def forward(self, x):
        x = torch.tanh(self.l1(x))
        x = torch.tanh(self.l2(x))
        return self.out(x)

    def shared_step(self, batch, name):
        x, y = batch
        loss = self.mse(self(x), y)
        self.log(name, loss, on_epoch=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self.shared_step(batch, 'loss/train')

    def validation_step(self, batch, batch_idx):
        return self.shared_step(batch, 'loss/val')

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=1e-3)
        sched = torch.optim.lr_scheduler.StepLR(opt, step_size=5, gamma=0.5)
        return [opt], [sched]


if __name__ == '__main__':
    pl.seed_everything(11)
    trainer = pl.Trainer(max_epochs=12, logger=False, enable_progress_bar=False)
    trainer.fit(Thermometer(), DataLoader(Readings('train'), BATCH, shuffle=True), DataLoader(Readings('valid'), BATCH))
