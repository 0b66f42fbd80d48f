"""Image classification the timm way: mixup with soft targets, a model EMA that is what gets validated, acc1 in percent."""
import copy
import os

import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from torch.utils.data import DataLoader, Dataset

CFG = dict(data="dataset/prepdata/v1", num_classes=10, bs=30, epochs=4, lr=4e-3, wd=0.05, mixup=0.4, smoothing=0.1, ema=0.9)
MEAN, STD = 0.305, 0.376


class Digits(Dataset):
    def __init__(self, split, transform=None):
        arrays = np.load(os.path.join(CFG["data"], split, "data.npz"))
        self.images, self.targets, self.transform = arrays["x"], arrays["y"], transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index]).float().div(16).sub(MEAN).div(STD).unsqueeze(0)
        return (self.transform(image) if self.transform else image), int(self.targets[index])


class RandomErasing:
    def __call__(self, img):
        if torch.rand(1) < 0.25:
            top, left = torch.randint(0, 6, (2,)).tolist()
            img[:, top : top + 2, left : left + 2] = 0
        return img


class Mixup:
    def __init__(self, mixup_alpha, label_smoothing, num_classes):
        self.alpha, self.smoothing, self.num_classes = mixup_alpha, label_smoothing, num_classes

    def __call__(self, x, target):
        off = self.smoothing / self.num_classes
        y = torch.full((len(target), self.num_classes), off).scatter_(1, target[:, None], 1 - self.smoothing + off)
        lam = np.random.beta(self.alpha, self.alpha)
        return x * lam + x.flip(0) * (1 - lam), y * lam + y.flip(0) * (1 - lam)


class SoftTargetCrossEntropy(nn.Module):
    def forward(self, x, target):
        return torch.sum(-target * F.log_softmax(x, dim=-1), dim=-1).mean()


class ConvMixerTiny(nn.Module):
    def __init__(self, dim=24, num_classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, dim, 2, stride=2), nn.GELU(), nn.BatchNorm2d(dim))
        self.block = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1, groups=dim), nn.GELU(), nn.BatchNorm2d(dim))
        self.fc = nn.Linear(dim * 16, num_classes)

    def forward_features(self, x):
        x = self.stem(x)
        return x + self.block(x)

    def forward_head(self, x, pre_logits=False):
        x = x.flatten(1)
        return x if pre_logits else self.fc(x)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))


class ModelEma(nn.Module):
    def __init__(self, model, decay):
        super().__init__()
        self.module, self.decay = copy.deepcopy(model).eval().requires_grad_(False), decay

    @torch.no_grad()
    def update(self, model):
        for ema_v, model_v in zip(self.module.state_dict().values(), model.state_dict().values()):
            ema_v.copy_(ema_v * self.decay + (1.0 - self.decay) * model_v)


def accuracy(output, target, topk=(1,)):
    _, pred = output.topk(max(topk), 1, True, True)
    correct = pred.t().eq(target.reshape(1, -1).expand_as(pred.t()))
    return [correct[:k].reshape(-1).float().sum(0) * 100.0 / target.size(0) for k in topk]


class Classifier(pl.LightningModule):
    def __init__(self, cfg):
        super().__init__()
        self.save_hyperparameters(cfg)
        self.model = ConvMixerTiny(num_classes=cfg["num_classes"])
        self.model_ema = ModelEma(self.model, cfg["ema"])
        self.mixup_fn = Mixup(cfg["mixup"], cfg["smoothing"], cfg["num_classes"])
        self.train_loss_fn, self.validate_loss_fn = SoftTargetCrossEntropy(), nn.CrossEntropyLoss()

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        images, target = self.mixup_fn(*batch)
        loss = self.train_loss_fn(self(images), target)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.model_ema.update(self.model)

    def validation_step(self, batch, batch_idx):
        images, target = batch
        output = self.model_ema.module(images)
        acc1, acc5 = accuracy(output, target, topk=(1, 5))
        self.log("val_loss", self.validate_loss_fn(output, target))
        self.log_dict({"val_acc": acc1, "val_acc5": acc5}, prog_bar=True)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.wd)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.hparams.epochs)
        return [optimizer], [scheduler]


if __name__ == "__main__":
    pl.seed_everything(42, workers=True)
    loader_train = DataLoader(Digits("train", RandomErasing()), CFG["bs"], shuffle=True, drop_last=True)
    loader_eval = DataLoader(Digits("valid"), 2 * CFG["bs"])
    saver = ModelCheckpoint(monitor="val_acc", mode="max", filename="checkpoint-{epoch}")
    trainer = pl.Trainer(max_epochs=CFG["epochs"], callbacks=[saver, LearningRateMonitor()], enable_progress_bar=False)
    trainer.fit(Classifier(CFG), loader_train, loader_eval)
