#!/usr/bin/env python3
"""Labelled daily price series of five kinds, for `emptor lab alerts`.

usage: alert_series.py [--seed 1] [--each 30] [--days 540] > series.jsonl

Kinds: hilo (promotions of 15 to 33 % for 3 to 14 days), stable, noisy (hilo with daily noise), trend_down
(noisy, losing about half its price), fake_sale (raised 15 to 35 % for some days, then "discounted" back).
All may change their level for good, by -7, +6 or +10 %. A line is {"id","kind","runs":[[cents,days],...],
"deal":[[0|1,days],...]}; a day is a deal if the price is under what it would be without a promotion.
"""
import argparse
import json
import random
from itertools import groupby


def series(r, kind, days):
    base = r.choice([199, 499, 1299, 4999, 19999, 79899])
    drift = {"trend_down": -0.0013 * r.uniform(0.7, 1.3)}.get(kind, r.uniform(-0.0002, 0.0004))
    noise = r.uniform(0.008, 0.03) if kind in ("noisy", "trend_down") else 0.0
    promoted = kind in ("hilo", "noisy", "trend_down")
    raised = kind == "fake_sale"
    depths = r.sample([0.15, 0.2, 0.25, 0.33], r.randint(1, 3))
    rate = r.uniform(1 / 60, 1 / 20)
    level, left, factor, free = float(base), 0, 1.0, 0
    prices, deals = [], []
    for _ in range(days):
        level *= 1 + drift
        if r.random() < 0.002:
            level *= r.choice([0.93, 1.06, 1.10])
        if left == 0:
            factor = 1.0
            if free > 0:
                free -= 1
            elif (promoted or raised) and r.random() < rate:
                if promoted:
                    factor, left = 1 - r.choice(depths), r.choice([3, 7, 7, 14])
                else:
                    factor, left = r.uniform(1.15, 1.35), r.randint(4, 10)
                free = 2
        deals.append(int(left > 0 and promoted))
        left = max(0, left - 1)
        p = level * factor * (1 + r.gauss(0, noise))
        step = 10 if base < 2000 else 100
        prices.append(max(9, round(p / step) * step - 1))
    return prices, deals


def runs(values):
    return [[v, len(list(g))] for v, g in groupby(values)]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--each", type=int, default=30)
    a.add_argument("--days", type=int, default=540)
    a = a.parse_args()
    for kind in ("hilo", "stable", "noisy", "trend_down", "fake_sale"):
        for i in range(a.each):
            r = random.Random(f"{a.seed}/{kind}/{i}")
            prices, deals = series(r, kind, a.days)
            print(json.dumps({"id": f"{kind}/{i}", "kind": kind, "runs": runs(prices), "deal": runs(deals)}))


if __name__ == "__main__":
    main()
