"""For every finding: the hypothesis that it supports, and the change that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Explanation:
    """A finding in an engineer's words."""

    hypothesis: str
    asks_for: str


EXPLANATIONS: Final[Mapping[str, Explanation]] = {
    "diverged": Explanation("The steps are too large for this loss surface.", "a learning rate 3 to 10 times lower"),
    "early-instability": Explanation(
        "The first steps are too large for freshly initialized weights; later ones are not.", "a linear warm-up"
    ),
    "gradient-spikes": Explanation("Rare batches give gradients far above the usual.", "clipped gradients"),
    "oscillating": Explanation(
        "The steps overshoot and come back.", "Adam in SGD's place, else a lower learning rate or a larger batch"
    ),
    "late-jitter": Explanation(
        "The weights circle around a minimum that they do not settle in.",
        "a rate that decays to zero; weight averaging where it decays already",
    ),
    "overfitting": Explanation(
        "The model learns what is particular to the training samples.",
        "weight decay, dropout, label smoothing, or augmentation that keeps the label",
    ),
    "benign-gap": Explanation(
        "What is learnt by heart does no harm, and a larger model finds smoother answers between the samples.",
        "more capacity, a smooth activation, or augmentation of signals and images; no dropout",
    ),
    "underfitting": Explanation(
        "The model, as it is regularized, is too small to fit the training set.",
        "more capacity (width, then depth), or less regularization",
    ),
    "slow": Explanation(
        "The steps are too small for the epochs there are.", "a learning rate 3 times higher, or an adaptive optimizer"
    ),
    "still-improving": Explanation(
        "The training ends before the model has learned what it can.",
        "more epochs where the rules leave them free, else a higher rate or a one-cycle schedule",
    ),
    "best-early": Explanation("Most epochs are spent after the best one.", "fewer epochs, or a faster decay"),
    "few-steps": Explanation("There are too few updates to go far.", "a smaller batch, with the rate re-scaled"),
    "plain-sgd": Explanation(
        "Directions of little curvature are hardly followed by SGD without momentum.", "momentum, or AdamW"
    ),
    "adam-with-decay": Explanation("Weights with large gradients are hardly decayed.", "AdamW, which decouples decay"),
    "tiny-rate": Explanation("The weights end nearly where they were drawn.", "a learning rate ten times higher"),
    "huge-rate": Explanation(
        "Every step overthrows what the steps before it learnt.", "a learning rate ten times lower"
    ),
    "constant-rate": Explanation(
        "One rate cannot be both large enough to begin with and small enough to settle.", "a schedule"
    ),
    "schedule-length": Explanation(
        "The rate comes down too late, too early or never.", "a schedule as long as the training"
    ),
    "no-normalization": Explanation(
        "The scale of the activations drifts from layer to layer and slows the gradients.", "batch or layer norm"
    ),
    "unnormalized-values": Explanation(
        "The scale of the activations drifts, and statistics of batches would disturb that of the answers.",
        "layer norm, once nothing else asks for more",
    ),
    "bottleneck": Explanation(
        "The scores of so many classes cannot vary independently.", "wider layers before the last one"
    ),
    "bad-initial-loss": Explanation(
        "The first epochs are spent on learning the mean answer.", "a last bias set from the prior or the target's mean"
    ),
    "unshuffled": Explanation(
        "Neighbouring samples share what a batch should average out, and every epoch repeats it.", "shuffling"
    ),
    "imbalanced": Explanation("The rare class is outvoted in the loss.", "class weights or a balanced sampler"),
    "local-structure": Explanation(
        "What matters is which inputs are neighbours, and a dense layer cannot know.", "a convolutional stem"
    ),
    "no-augmentation": Explanation(
        "Where a pattern stands is learnt with the pattern.", "random shifts or crops of the training samples"
    ),
    "unscaled-inputs": Explanation("The largest inputs dominate the first layer.", "standardization in the model"),
    "heavy-tailed-residuals": Explanation("Squared error follows a few outliers.", "a Huber or absolute loss"),
    "skewed-target": Explanation("The largest targets rule the loss.", "learning the target's logarithm"),
    "dead-units": Explanation(
        "Whatever the sample, these units say nothing, and no gradient brings them back.",
        "GELU, SiLU or LeakyReLU in ReLU's place",
    ),
    "excessive-decay": Explanation(
        "Weight decay undoes what the gradients do.", "a usual weight decay, 1e-2 for AdamW and 1e-4 through a gradient"
    ),
    "excessive-dropout": Explanation("Too little of the network takes part in a step.", "a dropout of 0.2"),
    "unscaled-target": Explanation(
        "The epochs are spent on bringing the last layer to the target's scale.", "a target standardized in the model"
    ),
    "loss-off-metric": Explanation(
        "The training minimizes squared errors, and the metric counts absolute ones.", "the absolute error as the loss"
    ),
    "regressed": Explanation("The last change was a step in the wrong direction.", "taking it back"),
    "edge-of-range": Explanation("The best value lies beyond what was tried.", "another step the same way"),
    "periodic": Explanation(
        "Batches come in a fixed order, or the validation data change from epoch to epoch.",
        "a look at the loaders; no change of the catalogue",
    ),
    "within-noise": Explanation(
        "Small steps of this kind no longer matter.", "a change of another family, or repeats that measure the noise"
    ),
}
