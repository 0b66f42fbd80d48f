#!/usr/bin/env python
# coding: utf-8

# # Classifying waves
# *Exercise 3*

# In[1]:


import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn as nn
import pytorch_lightning as pl

# get_ipython().run_line_magic('matplotlib', 'inline')


# In[2]:


X_train, y_train = (np.load("dataset/prepdata/v1/train/signals.npz")[k] for k in ("x", "y"))
X_val, y_val = (np.load("dataset/prepdata/v1/valid/signals.npz")[k] for k in ("x", "y"))
X_train.shape, X_val.shape


# In[3]:


pl.seed_everything(0)
train_ds = torch.utils.data.TensorDataset(torch.tensor(X_train), torch.tensor(y_train))
val_ds = torch.utils.data.TensorDataset(torch.tensor(X_val), torch.tensor(y_val))


# In[4]:


model = nn.Sequential(
    nn.Linear(16, 100),
    nn.ReLU(),
    nn.Linear(100, 50),
    nn.ReLU(),
    nn.Linear(50, 4),
)
criterion = nn.CrossEntropyLoss()


# In[5]:


class Lit(pl.LightningModule):
    def __init__(self, model, learning_rate):
        super().__init__()
        self.learning_rate = learning_rate
        self.model = model
        self.history = []

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        loss = criterion(self(batch[0]), batch[1])
        self.history.append(loss.item())
        return loss

    def validation_step(self, batch, batch_idx):
        loss = criterion(self(batch[0]), batch[1])
        self.log("val_loss", loss)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.learning_rate)


# In[6]:


lit = Lit(model, learning_rate=0.1)
trainer = pl.Trainer(max_epochs=30, enable_progress_bar=False, logger=False)
trainer.fit(lit, torch.utils.data.DataLoader(train_ds, batch_size=64, shuffle=True), torch.utils.data.DataLoader(val_ds, batch_size=64))


# In[7]:


plt.plot(lit.history)
plt.ylabel("loss")
