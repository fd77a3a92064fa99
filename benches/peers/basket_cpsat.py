#!/usr/bin/env python3
"""Random whole-basket instances, unlike those of `basket_highs.py`, proven twice: by `emptor lab basket`
and by CP-SAT with a model of its own.

  basket_cpsat.py EMPTOR FIRST LAST [--limit S] [--pays]   compares the seeds FIRST to LAST

Prints a line for each disagreement, and for each list that emptor did not prove in 3 s; at the end how many
lists agree. CP-SAT gets S seconds (5); what it has not finished is only checked against its bound and its
answer. `--pays`: coupons may take off more than the goods cost, which no shop does.

Needs `pip install ortools` (any throw-away virtual environment).
"""
import argparse, json, random, subprocess, sys, time
from collections import Counter


def make(seed, pays):
    r = random.Random(seed)
    scale = r.choice([1, 1, 1, 10, 100])
    cents = lambda low, high: r.randint(low, high) * scale
    n, shops, offers, coupons = r.choice([3, 4, 5, 6, 8, 10]), [], [], []
    reference = [r.randint(30, 4000) for _ in range(n)]
    items = [dict(id=f"i{i}", qty=r.choice([1, 1, 2, 3, 5, 8, 13]), weight_g=0,
                  unmet_penalty_cents=r.choice([None, None, cents(0, 3000)])) for i in range(n)]
    falling = r.random() < .5
    for s in range(r.choice([2, 3, 4, 5, 6, 8])):
        tiers = [dict(min_spend=0, fee=cents(0, 900))]
        for _ in range(r.choice([0, 1, 2, 3])):
            fee = r.choice([0, cents(0, 900), max(0, tiers[-1]["fee"] - cents(0, 300))])
            fee = min(fee, tiers[-1]["fee"]) if falling else fee
            tiers.append(dict(min_spend=tiers[-1]["min_spend"] + cents(300, 5000), fee=fee))
        weights, over = [], 0
        for _ in range(r.choice([0, 0, 1, 2])):
            over += r.randint(500, 15000)
            weights.append(dict(over_g=over, add=cents(0, 900)))
        pickup = dict(travel_cents=cents(0, 900), fee=r.choice([0, cents(0, 300)])) if r.random() < .4 else None
        shops.append(dict(id=f"s{s}", pickup=pickup, min_order=r.choice([0, 0, cents(0, 4000)]),
                          ship=dict(tiers=tiers, basis=r.choice(["after_coupons", "before_coupons"]), weight_tiers=weights)))
        first = len(offers)
        add = lambda **o: offers.append(dict(id=f"o{len(offers)}", shop=f"s{s}", **o))
        for i, item in enumerate(items):
            for _ in range(r.choice([0, 1, 1, 1, 2])):
                pack = r.choice([1, 1, 1, 2, 3, 4, 6] if item["qty"] > 1 else [1, 1, 1, 2])
                steps = [dict(min_qty=r.choice([1, 1, 1, 1, 2, 3]), unit=max(1, int(reference[i] * pack * r.uniform(.5, 1.4))) * scale)]
                while r.random() < .3:
                    steps.append(dict(min_qty=steps[-1]["min_qty"] + r.randint(1, 4), unit=int(steps[-1]["unit"] * r.uniform(.6, 1.05))))
                most = max(steps[0]["min_qty"], r.choice([1, 2, 3, 5, 10, 30]))
                add(covers=[[item["id"], pack]], breaks=steps, max_qty=most, weight_g=r.choice([0, 100, 333, 2000, 7001]),
                    disutility=r.choice([0, 0, 0, cents(0, 600)]))
        for _ in range(r.choice([0, 0, 1, 2])):
            part = r.sample(range(n), min(n, r.choice([2, 3, 4])))
            price = max(1, int(sum(reference[p] for p in part) * r.uniform(.4, 1.2))) * scale
            add(covers=[[f"i{p}", r.choice([1, 1, 2])] for p in part], breaks=[dict(min_qty=1, unit=price)],
                max_qty=r.choice([1, 2, 5]), weight_g=r.choice([0, 1500]), disutility=r.choice([0, 0, cents(0, 500)]))
        mine = [o["id"] for o in offers[first:]]
        for _ in range(r.choice([0, 0, 1, 1, 2, 3])):
            fixed = r.random() < .5
            value = (cents(50, 3000) if fixed else r.randint(100, 5000)) if pays else \
                (cents(50, 1500) if fixed else r.choice([300, 500, 1000, 1500, 2000, 2500, 3000]))
            least = r.choice([0, cents(0, 6000)])
            if fixed and not pays: least = max(least, int(value * r.uniform(1.5, 8)))
            scope = [o for o in mine if r.random() < .4] or mine[:1] if mine and r.random() < .3 else None
            coupons.append(dict(id=f"c{len(coupons)}", shop=f"s{s}", group=r.choice([f"g{s}", f"g{s}x", "G"]), value=value,
                                kind="fixed" if fixed else "percent", min_spend=least, offers=scope,
                                cap=r.choice([None, None, cents(100, 2000)])))
    limits = dict(max_shops=r.choice([None, None, 1, 2, 3, 5]), max_pickups=r.choice([None, None, 0, 1]),
                  budget=r.choice([None, None, None, cents(500, 60000)]), per_shop_hassle=r.choice([0, 0, cents(0, 800)]))
    return dict(schema="emptor-basket/1", currency="EUR", items=items, shops=shops, offers=offers, coupons=coupons, limits=limits)


def cp_sat(h, seconds):
    """The status, the cost of the best answer and the bound."""
    from ortools.sat.python import cp_model
    m, limits = cp_model.CpModel(), h["limits"]
    most = sum(max(b["unit"] for b in o["breaks"]) * o["max_qty"] for o in h["offers"]) + 1
    number = lambda low, high: m.new_int_var(low, high, "")
    flag = lambda: m.new_bool_var("")
    quantity, line, bought = {}, {}, {}
    for o in h["offers"]:
        steps, parts = o["breaks"], []
        for j, b in enumerate(steps):
            last = min(o["max_qty"], steps[j + 1]["min_qty"] - 1 if j + 1 < len(steps) else o["max_qty"])
            if last >= b["min_qty"]:
                on, x = flag(), number(0, last)
                m.add(x >= b["min_qty"]).only_enforce_if(on)
                m.add(x == 0).only_enforce_if(on.negated())
                parts.append((on, x, b["unit"]))
        m.add_at_most_one(on for on, _, _ in parts)
        quantity[o["id"]] = sum(x for _, x, _ in parts)
        line[o["id"]] = sum(unit * x for _, x, unit in parts)
        bought[o["id"]] = sum(on for on, _, _ in parts)
    pay, opened, fetched, groups = [], [], [], {}
    for s in h["shops"]:
        mine = [o["id"] for o in h["offers"] if o["shop"] == s["id"]]
        is_open, pick, ship = flag(), flag(), flag()
        for o in mine: m.add(bought[o] <= is_open)
        m.add(sum(bought[o] for o in mine) >= is_open)
        m.add(pick + ship == is_open)
        if s["pickup"] is None: m.add(pick == 0)
        else: pay.append(pick * (s["pickup"]["travel_cents"] + s["pickup"]["fee"]))
        goods = number(0, most)
        m.add(goods == sum(line[o] for o in mine))
        m.add(goods >= s["min_order"]).only_enforce_if(is_open)
        off = []
        for c in (c for c in h["coupons"] if c["shop"] == s["id"]):
            used, base, raw, gives = flag(), number(0, most), number(0, most), number(0, most)
            groups.setdefault(c["group"], []).append(used)
            m.add_implication(used, is_open)
            m.add(base == sum(line[o] for o in mine if c["offers"] is None or o in c["offers"]))
            m.add(base >= c["min_spend"]).only_enforce_if(used)
            if c["kind"] == "fixed": m.add_min_equality(raw, [base, c["value"]])
            else:
                product = number(0, most * 10000)
                m.add(product == base * c["value"])
                m.add_division_equality(raw, product, 10000)
            if c["cap"] is not None:
                capped = number(0, most)
                m.add_min_equality(capped, [raw, c["cap"]])
                raw = capped
            m.add(gives == raw).only_enforce_if(used)
            m.add(gives == 0).only_enforce_if(used.negated())
            off.append(gives)
        net = number(-4 * most, most)
        m.add(net == goods - sum(off))
        pay.append(net)
        basis = net if s["ship"]["basis"] == "after_coupons" else goods
        tiers = s["ship"]["tiers"]
        level = [flag() for _ in tiers]
        m.add(sum(level) == ship)
        for j, t in enumerate(tiers):
            m.add(basis >= t["min_spend"]).only_enforce_if(level[j])
            if j + 1 < len(tiers): m.add(basis < tiers[j + 1]["min_spend"]).only_enforce_if(level[j])
            pay.append(level[j] * t["fee"])
        over = s["ship"]["weight_tiers"]
        weight = sum(quantity[o["id"]] * o["weight_g"] for o in h["offers"] if o["shop"] == s["id"])
        heavy = [flag() for _ in range(len(over) + 1)]
        m.add(sum(heavy) == ship)
        for j, z in enumerate(heavy):
            if j: m.add(weight > over[j - 1]["over_g"]).only_enforce_if(z)
            if j < len(over): m.add(weight <= over[j]["over_g"]).only_enforce_if(z)
            if j: pay.append(z * over[j - 1]["add"])
        opened.append(is_open)
        fetched.append(pick)
    for used in groups.values(): m.add_at_most_one(used)
    if limits["max_shops"] is not None: m.add(sum(opened) <= limits["max_shops"])
    if limits["max_pickups"] is not None: m.add(sum(fetched) <= limits["max_pickups"])
    if limits["budget"] is not None: m.add(sum(pay) <= limits["budget"])
    cost = pay + [limits["per_shop_hassle"] * x for x in opened] + [o["disutility"] * quantity[o["id"]] for o in h["offers"]]
    for item in h["items"]:
        got = sum(units * quantity[o["id"]] for o in h["offers"] for i, units in o["covers"] if i == item["id"])
        if item["unmet_penalty_cents"] is None: m.add(got >= item["qty"])
        else:
            missing = number(0, item["qty"])
            m.add(missing >= item["qty"] - got)
            cost.append(missing * item["unmet_penalty_cents"])
    m.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, 1
    status = solver.solve(m)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    bound = -(-round(solver.best_objective_bound * 1000) // 1000) if found else None
    return solver.status_name(status), round(solver.objective_value) if found else None, bound


def compare(emptor, seed, seconds, pays):
    h, start = make(seed, pays), time.perf_counter()
    run = subprocess.run([emptor, "lab", "basket", "-", "--limit-ms", "3000"], input=json.dumps(h), capture_output=True, text=True)
    took = time.perf_counter() - start
    status, cost, bound = cp_sat(h, seconds)
    if run.returncode:
        # Refused: CP-SAT must not have found an answer.
        return ("disagree: " + run.stderr.strip()[:100] if cost is not None else "no answer, both" if status == "INFEASIBLE" else "no answer"), took
    mine = json.loads(run.stdout)
    if status == "INFEASIBLE" or bound is not None and mine["cost"] < bound: return "disagree: too good", took
    if cost is not None and mine["bound"] > cost: return "disagree: the bound is too high", took
    if not mine["optimal"]: return "not proven", took
    return ("proven by both" if status == "OPTIMAL" else "proven by emptor"), took


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("emptor")
    ap.add_argument("first", type=int)
    ap.add_argument("last", type=int)
    ap.add_argument("--limit", type=float, default=5.0, metavar="S")
    ap.add_argument("--pays", action="store_true")
    args = ap.parse_args()
    counts, slowest = Counter(), 0.0
    for seed in range(args.first, args.last + 1):
        outcome, took = compare(args.emptor, seed, args.limit, args.pays)
        counts[outcome.split(":")[0]] += 1
        slowest = max(slowest, took)
        if outcome.startswith(("disagree", "not proven")): print(seed, outcome, flush=True)
    print(dict(counts), f"slowest {slowest:.2f} s")
    sys.exit(counts["disagree"] > 0)
