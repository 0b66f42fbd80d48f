#!/usr/bin/env python
# coding: utf-8

# # Wave classification
# Exported from `waves_final_v2.ipynb`

# In[1]:


import numpy as np
import pandas as pd
import torch
from torch import nn
import lightning as L
from torch.utils.data import DataLoader, TensorDataset
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

L.seed_everything(7)


# In[2]:


train = np.load('dataset/prepdata/v1/train/signals.npz')
valid = np.load('dataset/prepdata/v1/valid/signals.npz')
train['x'].shape, train['y'].shape


# In[3]:


df = pd.DataFrame({'label': train['y']})
df.label.value_counts()


# In[4]:


def to_ds(d):
    return TensorDataset(torch.tensor(d['x']), torch.tensor(d['y']))

dl_train = DataLoader(to_ds(train), batch_size=32, shuffle=True)
dl_valid = DataLoader(to_ds(valid), batch_size=64)
next(iter(dl_train))[0].shape


# In[6]:


class WaveNet(L.LightningModule):
    def __init__(self, hidden=48, lr=0.02):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(nn.Linear(16, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 4))
        self.criterion = nn.CrossEntropyLoss()

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.criterion(self.model(x), y)
        self.log('train_loss', loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        out = self.model(x)
        self.log_dict({'val_loss': self.criterion(out, y), 'val_acc': (out.argmax(-1) == y).float().mean()}, prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.model.parameters(), lr=self.hparams.lr)


# In[7]:


net = WaveNet()
net


# In[9]:


trainer = L.Trainer(
    max_epochs=120,
    logger=CSVLogger('Models/Artifacts/baseline', name='logs'),
    callbacks=[ModelCheckpoint(dirpath='Models/Artifacts/baseline', filename='best', monitor='val_loss', save_last=True)],
    enable_progress_bar=False,
)
trainer.fit(net, dl_train, dl_valid)


# In[10]:


pd.read_csv(f'{trainer.logger.log_dir}/metrics.csv').tail()


# In[ ]:




