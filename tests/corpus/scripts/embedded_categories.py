"""A table with categories: embeddings beside numbers, batch normalization of the numbers."""
import lightning as L
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

CAT_COLUMNS, NUM_COLUMNS, TARGET = ["rooms", "floor"], ["area", "age"], "price"


class TabularDataset(Dataset):
    def __init__(self, frame):
        self.cats = torch.stack([torch.tensor((frame[c] + 3).clip(0, 5).astype(int).values) for c in CAT_COLUMNS], 1)
        self.nums = torch.tensor(frame[NUM_COLUMNS].values).float()
        self.y = torch.tensor((frame[TARGET] > 0).astype(int).values)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return [self.cats[i], self.nums[i], self.y[i]]


class TabularModel(L.LightningModule):
    def __init__(self, emb_sizes, n_cont, layers, ps=0.1, emb_drop=0.05, lr=1e-2, wd=1e-3):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in emb_sizes])
        self.emb_drop = nn.Dropout(emb_drop)
        self.bn_cont = nn.BatchNorm1d(n_cont)
        sizes = [sum(nf for _, nf in emb_sizes) + n_cont, *layers]
        blocks = []
        for i in range(len(layers)):
            blocks += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU(inplace=True), nn.BatchNorm1d(sizes[i + 1]), nn.Dropout(ps)]
        self.layers = nn.Sequential(*blocks, nn.Linear(sizes[-1], 2))
        self.lr, self.wd = lr, wd

    def forward(self, cats, conts):
        x = torch.cat([e(cats[:, i]) for i, e in enumerate(self.embeds)], 1)
        return self.layers(torch.cat([self.emb_drop(x), self.bn_cont(conts)], 1))

    def training_step(self, batch, batch_idx):
        cats, conts, y = batch
        return nn.functional.cross_entropy(self(cats, conts), y)

    def validation_step(self, batch, batch_idx):
        cats, conts, y = batch
        out = self(cats, conts)
        self.log_dict({"val_loss": nn.functional.cross_entropy(out, y), "val_acc": (out.argmax(1) == y).float().mean()})

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=self.wd)


def main():
    L.seed_everything(42)
    train, valid = (TabularDataset(pd.read_csv(f"dataset/prepdata/v1/{s}.csv")) for s in ("train", "valid"))
    model = TabularModel(emb_sizes=[(6, 3), (6, 3)], n_cont=2, layers=[40, 20])
    trainer = L.Trainer(max_epochs=10, logger=False, enable_progress_bar=False)
    trainer.fit(model, DataLoader(train, 40, shuffle=True, drop_last=True), DataLoader(valid, 80))


if __name__ == "__main__":
    main()
