"""Item difficulties and abilities on one scale, also where everybody had another form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from checkride.lib.errors import DomainError

Floats = NDArray[np.float64]

# Far enough for any ability that a normal distribution of this spread has, fine enough for four
# decimals; Gauss-Hermite would need its nodes moved whenever the spread changes.
_NODES = np.linspace(-6.0, 6.0, 121)


class NotCalibrated(DomainError):
    code = "not-calibrated"
    sentence = "The items could not be calibrated: {reason}. No figure was calculated."


@dataclass(frozen=True, slots=True)
class Calibration:
    """Difficulties in logits, with standard errors; abilities have mean 0 and spread `spread`.

    `error` holds NaN where the answers do not tell a difficulty.
    """

    difficulty: tuple[float, ...]
    error: tuple[float, ...]
    spread: float
    log_likelihood: float
    rounds: int
    n: int


def calibrate(
    responses: Floats,
    *,
    spread: float | None = None,
    groups: Sequence[int] | None = None,
    most: int = 2000,
) -> Calibration:
    """Estimate a Rasch model by marginal maximum likelihood.

    `responses` has a row per attempt and a column per item: 1 right, 0 wrong, NaN not on the form.
    Abilities are normal with mean 0; their spread is estimated unless given. `groups` numbers, from
    0, the groups of attempts whose means may differ (those of one form): without them a form that
    was sat by strong people would look easy.

    Raises `NotCalibrated` when an item is answered alike by everybody who had it, or when the
    estimates do not settle.

    Source: R. D. Bock and M. Aitkin, Psychometrika 46 (1981), pages 443 to 459, with one slope for
    all items (D. Thissen, Psychometrika 47 (1982), pages 175 to 186).
    """
    seen = ~np.isnan(responses)
    given = seen.sum(axis=0)
    right = np.where(seen, responses, 0).sum(axis=0)
    if responses.size == 0 or (given == 0).any():
        raise NotCalibrated(reason="an item was on no form")
    if ((right == 0) | (right == given)).any():
        raise NotCalibrated(reason="an item was answered alike by everybody")
    share = right / given
    difficulty: Floats = -np.log(share / (1 - share))
    width = spread if spread is not None else 1.0
    correct = np.where(seen, responses, 0)
    group = np.asarray(groups if groups is not None else [0] * responses.shape[0])
    sizes = np.bincount(group)
    means = np.zeros(sizes.size)
    last = -np.inf
    for rounds in range(1, most + 1):  # noqa: B007  told at the end
        posterior, likelihood = _posterior(correct, seen, difficulty, width, means[group])
        # Expected number of people at each node who had the item.
        people = posterior.T @ seen
        for _ in range(3):
            chance = expit(width * _NODES[:, None] - difficulty[None, :])
            slope = (people * chance).sum(axis=0) - right
            curve = (people * chance * (1 - chance)).sum(axis=0)
            difficulty = difficulty + np.clip(slope / np.maximum(curve, 1e-9), -1, 1)
        if spread is None:
            chance = expit(width * _NODES[:, None] - difficulty[None, :])
            at_node = posterior.T @ correct
            slope_w = float(((at_node - people * chance) * _NODES[:, None]).sum())
            curve_w = float((people * chance * (1 - chance) * _NODES[:, None] ** 2).sum())
            width = max(1e-3, width + slope_w / max(curve_w, 1e-9))
        if sizes.size > 1:
            means = np.bincount(group, weights=posterior @ _NODES) / sizes
            middle = float((means * sizes).sum() / sizes.sum())
            means, difficulty = means - middle, difficulty - width * middle
        if abs(likelihood - last) < 1e-9 * abs(likelihood):
            break
        last = likelihood
    else:
        raise NotCalibrated(reason="the estimates did not settle")
    return Calibration(
        difficulty=tuple(float(one) for one in difficulty),
        error=_errors(correct, seen, difficulty, width, spread is None, means[group]),
        spread=width,
        log_likelihood=likelihood,
        rounds=rounds,
        n=responses.shape[0],
    )


def _log_chances(correct: Floats, seen: NDArray[np.bool_], difficulty: Floats, w: float) -> Floats:
    at = w * _NODES[:, None] - difficulty[None, :]
    # log P(right) = at - log(1 + e^at); log P(wrong) = -log(1 + e^at)
    soft = np.logaddexp(0, at)
    result: Floats = correct @ at.T - seen @ soft.T
    return result


def _posterior(
    correct: Floats, seen: NDArray[np.bool_], difficulty: Floats, width: float, means: Floats
) -> tuple[Floats, float]:
    """Where each person probably stands (a row of weights over the nodes), and the likelihood."""
    prior = -0.5 * (_NODES[None, :] - means[:, None]) ** 2
    prior -= np.logaddexp.reduce(prior, axis=1, keepdims=True)
    logs = _log_chances(correct, seen, difficulty, width) + prior
    top = logs.max(axis=1, keepdims=True)
    each = np.exp(logs - top)
    total = each.sum(axis=1, keepdims=True)
    return each / total, float((np.log(total) + top).sum())


def _errors(
    correct: Floats,
    seen: NDArray[np.bool_],
    difficulty: Floats,
    width: float,
    free: bool,
    means: Floats,
) -> tuple[float, ...]:
    """Standard errors from the cross-products of each person's scores (E. Berndt and others,
    Annals of Economic and Social Measurement 3 (1974), pages 653 to 665)."""
    posterior, _ = _posterior(correct, seen, difficulty, width, means)
    chance = expit(width * _NODES[:, None] - difficulty[None, :])
    by_item = np.where(seen, posterior @ chance - correct, 0)
    columns = [by_item]
    if free:
        residual = (correct @ np.ones(correct.shape[1]))[:, None] - seen @ chance.T
        columns.append((posterior * residual * _NODES[None, :]).sum(axis=1, keepdims=True))
    scores = np.hstack(columns)
    information = scores.T @ scores
    try:
        variances = np.diag(np.linalg.inv(information))[: difficulty.size]
    except np.linalg.LinAlgError:
        return tuple(float("nan") for _ in difficulty)
    return tuple(float(one) for one in np.sqrt(np.where(variances > 0, variances, np.nan)))


def abilities(responses: Floats, calibration: Calibration) -> tuple[tuple[float, float], ...]:
    """Each person's ability in logits with its standard error: mean and spread of what fits.

    People whose forms differ are on one scale, because each item carries its difficulty.
    """
    seen = ~np.isnan(responses)
    correct = np.where(seen, responses, 0)
    posterior, _ = _posterior(
        correct,
        seen,
        np.asarray(calibration.difficulty),
        calibration.spread,
        np.zeros(responses.shape[0]),
    )
    points = calibration.spread * _NODES
    mean = posterior @ points
    variance = posterior @ points**2 - mean**2
    return tuple(
        (float(one), float(error))
        for one, error in zip(mean, np.sqrt(np.maximum(variance, 0)), strict=True)
    )


def reliability(estimates: tuple[tuple[float, float], ...]) -> float:
    """The share of the spread of abilities that is no error: the reliability of a pool from which
    everybody had another form."""
    means = np.array([one for one, _ in estimates])
    errors = np.array([error for _, error in estimates])
    between = float(means.var())
    within = float((errors**2).mean())
    return between / (between + within) if between + within else 0.0


def expected_score(difficulties: Floats, ability: float) -> float:
    """The number of items that somebody of this ability is expected to get right."""
    return float(expit(ability - difficulties).sum())
