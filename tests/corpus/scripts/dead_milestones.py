import lightning as L, numpy as np, torch
from torch import nn
from torch.optim.lr_scheduler import MultiStepLR
from torch.utils.data import DataLoader, TensorDataset

# from a paper that trained for 200 epochs
MILESTONES = [100, 150]
N_EPOCHS = 25


class ResBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        return x + self.fc2(torch.relu(self.fc1(self.norm(x))))


class ResMLP(L.LightningModule):
    def __init__(self, dim=32, depth=2):
        super().__init__()
        self.stem = nn.Linear(16, dim)
        self.blocks = nn.ModuleList([ResBlock(dim) for _ in range(depth)])
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
        return {"optimizer": opt, "lr_scheduler": MultiStepLR(opt, milestones=MILESTONES, gamma=0.1)}


def get(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))


if __name__ == "__main__":
    L.seed_everything(200)
    train, val = DataLoader(get("train"), 64, shuffle=True), DataLoader(get("valid"), 64)
    L.Trainer(max_epochs=N_EPOCHS, logger=False, enable_progress_bar=False).fit(ResMLP(), train, val)
