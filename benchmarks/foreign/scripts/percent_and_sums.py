# plain-PyTorch habits carried over: running sums, accuracy in percent, loss divided by the size of the data set
import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset


class CSVLikeDataset(Dataset):
    def __init__(self, file):
        data = np.load(file)
        self.X, self.Y = data["x"], data["y"]

    def __len__(self):
        return self.X.shape[0]

    def __getitem__(self, idx):
        return torch.FloatTensor(self.X[idx]), self.Y[idx]


class Net(pl.LightningModule):
    def __init__(self):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(16, 40)
        self.fc2 = nn.Linear(40, 4)
        self.criterion = nn.CrossEntropyLoss(reduction="sum")
        self.reset()

    def reset(self):
        self.test_loss, self.correct, self.total = 0.0, 0, 0

    def forward(self, x):
        x = torch.nn.functional.relu(self.fc1(x))
        return torch.nn.functional.log_softmax(self.fc2(x), dim=1)

    def training_step(self, batch, batch_idx):
        data, target = batch
        output = self(data)
        return torch.nn.functional.nll_loss(output, target)

    def on_validation_epoch_start(self):
        self.reset()

    def validation_step(self, batch, batch_idx):
        data, target = batch
        output = self(data)
        self.test_loss += torch.nn.functional.nll_loss(output, target, reduction="sum").item()
        pred = output.max(1, keepdim=True)[1]
        self.correct += pred.eq(target.view_as(pred)).sum().item()
        self.total += len(target)

    def on_validation_epoch_end(self):
        self.log("val_loss", self.test_loss / self.total)
        self.log("val_acc", 100.0 * self.correct / self.total)

    def configure_optimizers(self):
        return optim.Adadelta(self.parameters(), lr=1.0)


train_loader = DataLoader(CSVLikeDataset("dataset/prepdata/v1/train/data.npz"), batch_size=32, shuffle=True)
test_loader = DataLoader(CSVLikeDataset("dataset/prepdata/v1/valid/data.npz"), batch_size=100)

if __name__ == "__main__":
    torch.manual_seed(1)
    model = Net()
    trainer = pl.Trainer(max_epochs=3, enable_progress_bar=False)
    trainer.fit(model, train_loader, test_loader)
