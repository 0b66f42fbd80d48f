"""VAE: reconstruction of a random draw plus KL, the labels of the batch are not used"""

import torch
from foreign.data import digits
from foreign.figures import values

TASK, DATA, LOSS = "regression", digits(), "val_loss"
EXACT, DRAWS = False, 12


def truth(model, batches):
    """Of what the script's val_recon_loss compares: the reconstruction of a draw."""
    states = [model.encoder(x) for x, _ in batches]
    means, spreads = map(model.fc_mu, states), [(model.fc_var(h) / 2).exp() for h in states]
    drawn = [mean + spread * torch.randn_like(spread) for mean, spread in zip(means, spreads, strict=True)]
    return values([model.decoder(z) for z in drawn], [x for x, _ in batches])
