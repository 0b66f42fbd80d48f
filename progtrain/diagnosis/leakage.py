"""Validation samples among the training samples: nothing an action answers, and a score that is not to be believed."""

from __future__ import annotations

from progtrain.records import Finding, Snapshot


def leaked(snapshot: Snapshot) -> tuple[Finding, ...]:
    """One finding where a version trains on samples that it is measured by."""
    seen = snapshot.shared
    if seen is None or not seen.shared:
        return ()
    message = (
        f"{seen.shared} of {seen.looked_at} validation samples that were looked at are training samples too: "
        "the score is higher than on samples it never saw."
    )
    numbers = {"shared": float(seen.shared), "looked_at": float(seen.looked_at)}
    return (Finding(name="trains-on-validation", numbers=numbers, severity=1.0, message=message),)
