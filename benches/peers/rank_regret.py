#!/usr/bin/env python3
"""Regret of the short lists of `emptor lab rank` on synthetic tenders.

usage: rank_regret.py --cmd "target/release/emptor lab rank" [--tenders 200] [--k 4] [--tolerance 0.01]

Needs numpy. A tender is 60 offers whose quality drives their price, judged by five
criteria with linear worths; delivery is unknown for 15 % of them. The regret of a list is
measured on 400 fresh draws of the person's trade-offs (each within a factor of 2 of the
stated one) and of the unknown delivery fees, in percent of the best effective cost.
"""
import argparse
import json
import shlex
import subprocess
import sys

import numpy as np

CRITERIA = ["days", "warranty", "reputation", "returns", "co2"]
FEES = [0, 390, 490, 590, 790, 1290]
UNKNOWN_FEES = [0, 390, 590, 790, 1290]


def tender(seed, n=60):
    """Prices and fees in cents, shortcomings (less is better), worth of one unit."""
    r = np.random.default_rng(seed)
    base = r.choice([2000, 8000, 30000, 90000])
    quality = r.beta(2, 2, n)
    price = base * (0.8 + 0.5 * quality + r.normal(0, 0.06, n)).clip(0.4)
    days = np.clip(np.round(10 - 7 * quality + r.normal(0, 2, n)), 1, 21)
    warranty = np.clip(np.round((6 + 30 * quality + r.normal(0, 8, n)) / 12) * 12, 0, 60)
    reputation = np.clip(3.2 + 1.5 * quality + r.normal(0, 0.4, n), 1, 5)
    returns = r.choice([0, 14, 30, 60], n)
    co2 = np.clip(r.normal(5, 2, n), 0, None)
    short = np.c_[days, 60 - warranty, 5 - reputation, 60 - returns, co2]
    unit = base * np.array([0.006, 0.0012, 0.03, 0.0006, 0.002]) * r.lognormal(0, 0.4, 5)
    fee = r.choice(FEES, n).astype(float)
    return price, fee, r.random(n) < 0.15, short, unit


def request(price, fee, unknown, short, unit, k, tolerance):
    criteria = [
        {"id": c, "better": "lower", "worth": {"type": "piecewise", "points": [[0, 0], [1000, 1000 * w]]}}
        for c, w in zip(CRITERIA, unit)
    ]
    offers = [
        {
            "id": f"o{i:02d}",
            "price_cents": price[i],
            "shipping_cents": None if unknown[i] else fee[i],
            "currency": "EUR",
            "attrs": dict(zip(CRITERIA, map(float, short[i]))),
        }
        for i in range(len(price))
    ]
    return {
        "schema": "emptor-rank/1", "currency": "EUR", "fx": {}, "k": k, "criteria": criteria,
        "priors": {"shipping_cents": [0, 590, 1290]}, "risk_aversion": 0.0, "tradeoff_spread": 2.0,
        "regret_tolerance": tolerance, "constraints": [], "offers": offers,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cmd", required=True)
    parser.add_argument("--tenders", type=int, default=200)
    parser.add_argument("--first", type=int, default=9000, help="seed of the first tender")
    parser.add_argument("--k", type=int, default=4)
    parser.add_argument("--tolerance", type=float, default=0.01)
    a = parser.parse_args()
    tenders = [tender(a.first + t) for t in range(a.tenders)]
    lines = "".join(json.dumps(request(*t, a.k, a.tolerance)) + "\n" for t in tenders)
    run = subprocess.run(shlex.split(a.cmd), input=lines, capture_output=True, text=True, check=True)
    worst, sizes = [], []
    for t, ((price, fee, unknown, short, unit), line) in enumerate(zip(tenders, run.stdout.splitlines(), strict=True)):
        listed = [int(i[1:]) for i in json.loads(line)["shortlist"]]
        r = np.random.default_rng(t + 10**6 + 1)
        weights = unit * np.exp(r.uniform(-np.log(2), np.log(2), (400, 5)))
        fees = np.where(unknown, np.random.default_rng(t + 5).choice(UNKNOWN_FEES, (400, len(price))), fee)
        cost = price + fees + weights @ short.T
        best = (price + np.where(unknown, 590, fee) + short @ unit).min()
        worst.append((cost[:, listed].min(1) - cost.min(1)).max() / best * 100)
        sizes.append(len(listed))
    worst, sizes = np.array(worst), np.array(sizes)
    print(
        f"tenders={a.tenders} k={a.k}: max regret mean={worst.mean():.2f}% p95={np.quantile(worst, 0.95):.2f}%; "
        f"list mean={sizes.mean():.2f} p95={np.quantile(sizes, 0.95):.0f} max={sizes.max()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
