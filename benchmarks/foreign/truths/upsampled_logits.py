"""DeepLab-like: scores are interpolated to the mask's size in the step, masks are floats, a confusion matrix by hand"""

from foreign.data import shapes
from foreign.figures import averaged, pixels
from torch.nn import functional as F

TASK, DATA, LOSS = "image-segmentation", shapes(), "val/total_loss_epoch"


def truth(model, batches):
    masks, scores = [b["label"].long() for b in batches], []
    for batch in batches:
        low = model.last_conv(model.aspp(model.backbone(batch["image"])).relu())
        scores.append(F.interpolate(low, size=(16, 16), mode="bilinear", align_corners=True))
    losses = [F.cross_entropy(s, y) for s, y in zip(scores, masks, strict=True)]
    return {"loss": averaged(losses, map(len, masks)), **pixels([s.argmax(1) for s in scores], masks)}
