"""Everything local to main: data, loaders, rates."""
import lightning
import numpy
import torch


class Net(lightning.LightningModule):
    def __init__(self, backbone, learning_rate):
        super().__init__()
        self.backbone = backbone
        self.learning_rate = learning_rate

    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        loss = torch.nn.functional.cross_entropy(self.backbone(inputs), targets)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        inputs, targets = batch
        self.log("val_loss", torch.nn.functional.cross_entropy(self.backbone(inputs), targets))

    def configure_optimizers(self):
        return torch.optim.Adagrad(self.parameters(), lr=self.learning_rate)


def main():
    learning_rate = 0.05
    batch_size = 32
    hidden = 36

    lightning.seed_everything(12)
    train_npz = numpy.load("dataset/prepdata/v1/train/signals.npz")
    valid_npz = numpy.load("dataset/prepdata/v1/valid/signals.npz")
    train_set = torch.utils.data.TensorDataset(torch.tensor(train_npz["x"]), torch.tensor(train_npz["y"]))
    valid_set = torch.utils.data.TensorDataset(torch.tensor(valid_npz["x"]), torch.tensor(valid_npz["y"]))
    train_loader = torch.utils.data.DataLoader(
        train_set,
        batch_size=batch_size,
        shuffle=True,
    )
    valid_loader = torch.utils.data.DataLoader(
        valid_set,
        batch_size=batch_size,
        shuffle=False,
    )

    backbone = torch.nn.Sequential(
        torch.nn.Linear(16, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, hidden),  # same width again
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, 4),
    )
    trainer = lightning.Trainer(
        max_epochs=60,
        logger=False,
        enable_progress_bar=False,
    )
    trainer.fit(
        model=Net(backbone, learning_rate),
        train_dataloaders=train_loader,
        val_dataloaders=valid_loader,
    )


if __name__ == "__main__":
    main()
