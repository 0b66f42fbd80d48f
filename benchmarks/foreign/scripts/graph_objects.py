import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader


class Batch:
    """Nodes of several graphs one after another."""

    def __init__(self, x, edge_index, batch, y):
        self.x, self.edge_index, self.batch, self.y = x, edge_index, batch, y

    def to(self, device, non_blocking=False):
        return Batch(*(part.to(device) for part in (self.x, self.edge_index, self.batch, self.y)))


def collate(graphs):
    x, edges, owner, begin = [], [], [], 0
    for number, (nodes, neighbours, _) in enumerate(graphs):
        x.append(nodes)
        edges.append(neighbours.nonzero().T + begin)
        owner.append(torch.full((len(nodes),), number))
        begin += len(nodes)
    return Batch(torch.cat(x), torch.cat(edges, dim=1), torch.cat(owner), torch.tensor([y for *_, y in graphs]))


def load(split):
    data = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    rows = zip(data["x"], data["edges"], data["nodes"], data["y"])
    return [(torch.tensor(x[:n]), torch.tensor(e[:n, :n]), int(y)) for x, e, n, y in rows]


class GraphNet(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 16), nn.Linear(16, 2)

    def forward(self, x, edge_index, batch):
        degree = torch.zeros(len(x)).index_add(0, edge_index[0], torch.ones(edge_index.shape[1]))
        nodes = torch.relu(self.first(torch.cat([x, degree[:, None]], dim=1)))
        count = int(batch.max()) + 1
        pooled = torch.zeros(count, 16).index_add(0, batch, nodes)
        return self.second(pooled / torch.bincount(batch, minlength=count)[:, None])

    def training_step(self, data, batch_idx):
        loss = F.cross_entropy(self(data.x, data.edge_index, data.batch), data.y)
        self.log("train_loss", loss, batch_size=len(data.y))
        return loss

    def validation_step(self, data, batch_idx):
        out = self(data.x, data.edge_index, data.batch)
        self.log("val_loss", F.cross_entropy(out, data.y), batch_size=len(data.y))
        self.log("val_acc", (out.argmax(dim=-1) == data.y).float().mean(), batch_size=len(data.y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.02)


if __name__ == "__main__":
    L.seed_everything(6)
    trainer = L.Trainer(max_epochs=3, accelerator="cpu", callbacks=[ModelCheckpoint(monitor="val_loss")])
    loaders = [DataLoader(load(s), 32, shuffle=s == "train", collate_fn=collate) for s in ("train", "valid")]
    trainer.fit(GraphNet(), *loaders)
