"""Entry point of a project in several files: python 02_train_baseline.py"""
from config import get_config
from datasets_ import build_loaders
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from losses import build_criterion
from model import SignalClassifier


def main():
    cfg = get_config()
    seed_everything(cfg.seed)
    train_loader, val_loader = build_loaders(cfg)
    model = SignalClassifier(cfg, criterion=build_criterion(cfg))
    checkpoint = ModelCheckpoint(dirpath=cfg.checkpoint_dir, filename="{epoch:02d}-{val_loss:.4f}", monitor="val_loss")
    trainer = Trainer(max_epochs=cfg.epochs, callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(model, train_dataloaders=train_loader, val_dataloaders=val_loader)


if __name__ == "__main__":
    main()
