"""Graph classification with dense adjacency matrices: a wave is a ring of 16 nodes."""
from typing import Tuple

import lightning as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class Rings(Dataset):
    def __init__(self, split: str) -> None:
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        self.x, self.y = torch.from_numpy(z["x"]), torch.from_numpy(z["y"])
        ring = torch.eye(16).roll(1, 0)
        adjacency = torch.eye(16) + ring + ring.T
        self.adj = adjacency / adjacency.sum(1, keepdim=True)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> Tuple[Tensor, Tensor, Tensor]:
        return self.x[i][:, None], self.adj, self.y[i]


class GraphConvolution(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:
        return adj @ (x @ self.weight) + self.bias


class GCN(pl.LightningModule):
    def __init__(self, nfeat: int = 1, nhid: int = 24, nclass: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.gc1, self.gc2 = GraphConvolution(nfeat, nhid), GraphConvolution(nhid, nhid)
        self.out = nn.Linear(nhid, nclass)
        self.p = dropout

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:
        x = nn.functional.relu(self.gc1(x, adj))
        x = nn.functional.dropout(x, self.p, training=self.training)
        x = nn.functional.relu(self.gc2(x, adj))
        return nn.functional.log_softmax(self.out(x.amax(1)), dim=1)

    def training_step(self, batch, batch_idx: int) -> Tensor:
        x, adj, y = batch
        return nn.functional.nll_loss(self(x, adj), y)

    def validation_step(self, batch, batch_idx: int) -> None:
        x, adj, y = batch
        self.log("val_loss", nn.functional.nll_loss(self(x, adj), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01, weight_decay=5e-4)


if __name__ == "__main__":
    pl.seed_everything(16)
    trainer = pl.Trainer(max_epochs=9, logger=False, enable_progress_bar=False)
    trainer.fit(GCN(), DataLoader(Rings("train"), batch_size=32, shuffle=True), DataLoader(Rings("valid"), batch_size=32))
