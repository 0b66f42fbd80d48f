"""Matrix factorization: users and items are rounded features, the rating is the price."""
import lightning as L
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

N_USERS, N_ITEMS = 8, 8


def bucket(column):
    return ((column + 2) * 2).round().clip(0, 7).astype("int64")


class Ratings(Dataset):
    def __init__(self, csv):
        frame = pd.read_csv(csv)
        self.users = torch.tensor(bucket(frame["area"]).values)
        self.items = torch.tensor(bucket(frame["age"]).values)
        self.ratings = torch.tensor(frame["price"].values, dtype=torch.float32)

    def __len__(self):
        return len(self.ratings)

    def __getitem__(self, i):
        return self.users[i], self.items[i], self.ratings[i]


class BiasedMF(L.LightningModule):
    def __init__(self, n_users, n_items, n_factors=6, lr=0.02, l2=1e-5):
        super().__init__()
        self.save_hyperparameters()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_bias = nn.Embedding(n_users, 1)
        self.item_bias = nn.Embedding(n_items, 1)
        for table in (self.user_factors, self.item_factors):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, user, item):
        dot = (self.user_factors(user) * self.item_factors(item)).sum(-1)
        return dot + self.user_bias(user).squeeze(-1) + self.item_bias(item).squeeze(-1)

    def training_step(self, batch, batch_idx):
        user, item, rating = batch
        return nn.functional.mse_loss(self(user, item), rating)

    def validation_step(self, batch, batch_idx):
        user, item, rating = batch
        mse = nn.functional.mse_loss(self(user, item), rating)
        self.log("val_loss", mse)
        self.log("val_rmse", mse.sqrt())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.l2)


if __name__ == "__main__":
    L.seed_everything(100)
    trainer = L.Trainer(max_epochs=20, logger=False, enable_progress_bar=False)
    trainer.fit(
        BiasedMF(N_USERS, N_ITEMS),
        DataLoader(Ratings("dataset/prepdata/v1/train.csv"), batch_size=16, shuffle=True),
        DataLoader(Ratings("dataset/prepdata/v1/valid.csv"), batch_size=96),
    )
