"""a mean and a variance as a tuple, Gaussian NLL, predict_step gives a dict with the spread"""

import torch
from foreign.data import prices
from foreign.figures import averaged, values

TASK, DATA, LOSS = "tabular-regression", prices(), "val_nll"


def truth(model, batches):
    losses, means = [], []
    for x, y in batches:
        shared = model.shared(x)
        means.append(model.mu(shared))
        spread = model.log_var(shared).exp().clamp(min=1e-6)
        losses.append(0.5 * (torch.log(spread) + (means[-1] - y) ** 2 / spread).mean())
    targets = [y for _, y in batches]
    return {"loss": averaged(losses, map(len, targets)), **values(means, targets)}
