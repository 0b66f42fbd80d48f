"""A registry of models by name and factories for optimizer and schedule (timm-like)."""
import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

_model_entrypoints = {}


def register_model(fn):
    _model_entrypoints[fn.__name__] = fn
    return fn


def create_model(model_name, num_classes, drop_rate=0.0, **kwargs):
    return _model_entrypoints[model_name](num_classes=num_classes, drop_rate=drop_rate, **kwargs)


class ConvNet(nn.Module):
    def __init__(self, num_classes, drop_rate, dims):
        super().__init__()
        stages, last = [], 1
        for dim in dims:
            stages.append(nn.Sequential(nn.Conv2d(last, dim, 3, 2, 1), nn.BatchNorm2d(dim), nn.ReLU(inplace=True)))
            last = dim
        self.stages = nn.Sequential(*stages)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(drop_rate), nn.Linear(last, num_classes))

    def forward(self, x):
        return self.head(self.global_pool(self.stages(x)))


@register_model
def convnet_pico(**kwargs):
    return ConvNet(dims=(8, 16), **kwargs)


@register_model
def convnet_nano(**kwargs):
    return ConvNet(dims=(12, 24), **kwargs)


def create_optimizer_v2(model, opt="sgd", lr=None, weight_decay=0.0, momentum=0.9):
    decay = [p for p in model.parameters() if p.ndim > 1]
    no_decay = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": no_decay, "weight_decay": 0.0}, {"params": decay, "weight_decay": weight_decay}]
    if opt == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=True)
    if opt == "adamw":
        return torch.optim.AdamW(groups, lr=lr)
    raise ValueError(opt)


class Recipe(pl.LightningModule):
    def __init__(self, model, opt, lr, weight_decay, smoothing):
        super().__init__()
        self.save_hyperparameters()
        self.model = create_model(model, num_classes=4, drop_rate=0.1)
        self.train_loss = nn.CrossEntropyLoss(label_smoothing=smoothing)
        self.validate_loss = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        return self.train_loss(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.validate_loss(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        h = self.hparams
        return create_optimizer_v2(self.model, opt=h.opt, lr=h.lr, weight_decay=h.weight_decay)


def create_dataset(split):
    z = np.load(f"dataset/prepdata/v1/{split}/pictures.npz")
    images = torch.from_numpy(z["images"]).float().sub_(55).div_(48).unsqueeze_(1)
    return TensorDataset(images, torch.from_numpy(z["labels"]))


if __name__ == "__main__":
    pl.seed_everything(42)
    recipe = Recipe(model="convnet_nano", opt="adamw", lr=5e-3, weight_decay=0.05, smoothing=0.1)
    trainer = pl.Trainer(max_epochs=8, logger=False, enable_progress_bar=False)
    trainer.fit(recipe, DataLoader(create_dataset("train"), 32, True), DataLoader(create_dataset("valid"), 32))
