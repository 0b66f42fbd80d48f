import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.demos import Transformer
from torch.utils.data import DataLoader, Dataset, random_split

VOCAB, BLOCK = 50, 12


class RandomTokens(Dataset):
    """Sequences in which every token is the one before plus one, from a random start."""

    def __init__(self, n=240):
        starts = torch.randint(VOCAB, (n, 1), generator=torch.Generator().manual_seed(0))
        self.tokens = (starts + torch.arange(BLOCK + 1)) % VOCAB

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, i):
        return self.tokens[i, :-1], self.tokens[i, 1:]


class LanguageModel(L.LightningModule):
    def __init__(self, vocab_size):
        super().__init__()
        self.model = Transformer(vocab_size=vocab_size, ninp=32, nhead=2, nhid=32, nlayers=1, dropout=0.1)

    def forward(self, inputs, target):
        return self.model(inputs, target)

    def training_step(self, batch, batch_idx):
        input, target = batch
        output = self(input, target)
        loss = F.nll_loss(output, target.view(-1))
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        input, target = batch
        loss = F.nll_loss(self(input, target), target.view(-1))
        self.log("val_loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.model.parameters(), lr=0.1)


def main():
    L.seed_everything(42)
    dataset = RandomTokens()
    n = len(dataset)
    train_dataset, val_dataset = random_split(dataset, [n - 40, 40], generator=torch.Generator().manual_seed(42))
    train_dataloader = DataLoader(train_dataset, batch_size=20, shuffle=True)
    val_dataloader = DataLoader(val_dataset, batch_size=20, shuffle=False)

    model = LanguageModel(vocab_size=VOCAB)
    trainer = L.Trainer(gradient_clip_val=0.25, max_epochs=8, enable_progress_bar=False)
    trainer.fit(model, train_dataloader, val_dataloader)


if __name__ == "__main__":
    main()
