from collections import Counter, namedtuple
from types import SimpleNamespace

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

args = SimpleNamespace(root="dataset/prepdata/v1", bs=40, lr=0.05, momentum=0.9, epochs=3, smoothing=0.1)

Sample = namedtuple("Sample", ["features", "grade"])


class Grades(Dataset):
    def __init__(self, split):
        npz = np.load(f"{args.root}/{split}/data.npz")
        self.x, self.y = npz["x"], npz["y"]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return Sample(torch.from_numpy(self.x[i]), torch.tensor(self.y[i]))

    def class_weights(self):
        counts = Counter(self.y.tolist())
        return torch.tensor([len(self.y) / counts[c] for c in sorted(counts)])


class GradeNet(pl.LightningModule):
    def __init__(self, class_weights, smoothing):
        super().__init__()
        self.fc1 = nn.Linear(12, 32)
        self.fc2 = nn.Linear(32, 2)
        self.loss_fn = nn.CrossEntropyLoss(weight=class_weights, label_smoothing=smoothing)

    def forward(self, inputs):
        hidden = torch.relu(self.fc1(inputs))
        return self.fc2(hidden)

    def step(self, sample: Sample, stage: str):
        logits = self(sample.features)
        loss = self.loss_fn(logits, sample.grade)
        acc = (logits.argmax(dim=-1) == sample.grade).sum() / len(sample.grade)
        self.log_dict({f"{stage}_loss": loss, f"{stage}_acc": acc}, on_epoch=True, on_step=False)
        return loss

    def training_step(self, sample, _):
        return self.step(sample, "train")

    def validation_step(self, sample, _):
        return self.step(sample, "valid")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=args.lr, momentum=args.momentum, nesterov=True)


if __name__ == "__main__":
    pl.seed_everything(99)
    train_set, valid_set = Grades("train"), Grades("valid")
    weights = train_set.class_weights()
    sampler = WeightedRandomSampler(weights[torch.from_numpy(train_set.y)], num_samples=len(train_set))
    net = GradeNet(weights / weights.sum(), args.smoothing)
    trainer = pl.Trainer(max_epochs=args.epochs, logger=pl.loggers.CSVLogger("."), enable_model_summary=False)
    trainer.fit(
        net,
        DataLoader(train_set, batch_size=args.bs, sampler=sampler),
        DataLoader(valid_set, batch_size=args.bs),
    )
