#!/usr/bin/env python3
"""Whole-basket instances for HiGHS, side by side with `emptor lab basket`.

  basket_highs.py make ITEMS SHOPS SEED            writes a full-variant instance to stdout
  basket_highs.py compare EMPTOR [--limit S] FILE…  one line per instance: costs, processor seconds, ratio

`compare` needs `pip install highspy` (any throw-away virtual environment). Both programs use one thread;
seconds are processor seconds. The model is the standard one: integer quantities per price break, binaries
for shops, tiers, weight tiers and coupons.
"""
import json, random, resource, subprocess, sys, time


def make(n_items, n_shops, seed):
    r = random.Random(seed)
    items = []
    for i in range(n_items):
        ref = r.choice([120, 250, 400, 700, 1200, 2500, 4900, 9900])
        items.append(dict(id=f"i{i}", qty=r.choice([1, 1, 1, 2, 2, 3, 6, 12]), ref_unit_cents=ref, weight_g=r.choice([50, 200, 500, 1000, 2500]),
                          unmet_penalty_cents=int(ref * r.uniform(1.2, 1.8)) if r.random() < .3 else None))
    shops, offers, coupons = [], [], []
    for s in range(n_shops):
        fee, free = r.choice([290, 390, 490, 590, 790]), r.choice([1900, 2900, 3900, 4900, 7900])
        tiers = [dict(min_spend=0, fee=fee)]
        kind = r.random()
        if kind > .7: tiers.append(dict(min_spend=free // 2, fee=fee // 2))
        if kind > .15: tiers.append(dict(min_spend=free, fee=0))
        weights = [dict(over_g=5000, add=r.choice([300, 500])), dict(over_g=20000, add=r.choice([900, 1500]))] if r.random() < .35 else []
        shops.append(dict(id=f"s{s}", ship=dict(tiers=tiers, basis=r.choice(["after_coupons", "after_coupons", "before_coupons"]), weight_tiers=weights),
                          pickup=dict(travel_cents=r.randint(100, 900), fee=0) if r.random() < .4 else None, min_order=r.choice([0, 0, 0, 1000, 1500])))
        level, mine = r.uniform(.85, 1.2), []
        for it in items:
            if r.random() > .7: continue
            unit = max(1, int(it["ref_unit_cents"] * level * r.uniform(.75, 1.25)))
            sub = r.random() < .12
            if sub: unit = max(1, int(unit * .75))
            breaks = [dict(min_qty=1, unit=unit)]
            if r.random() < .2: breaks.append(dict(min_qty=r.choice([3, 5, 6]), unit=int(unit * r.uniform(.8, .95))))
            mine.append(dict(covers=[[it["id"], 1]], breaks=breaks, max_qty=r.choice([20, 20, 20, 2, 4]), weight_g=it["weight_g"],
                             disutility=int(it["ref_unit_cents"] * r.uniform(.1, .3)) if sub else 0))
            if it["qty"] >= 3 and r.random() < .4:
                k = r.choice([3, 4, 6])
                mine.append(dict(covers=[[it["id"], k]], breaks=[dict(min_qty=1, unit=int(unit * k * r.uniform(.8, 1)))], max_qty=10,
                                 weight_g=it["weight_g"] * k, disutility=0))
        for _ in range(r.choice([0, 1, 1, 2])):
            part = r.sample(items, r.choice([2, 3]))
            price = int(sum(p["ref_unit_cents"] for p in part) * level * r.uniform(.75, .95))
            mine.append(dict(covers=[[p["id"], 1] for p in part], breaks=[dict(min_qty=1, unit=max(1, price))], max_qty=2,
                             weight_g=sum(p["weight_g"] for p in part), disutility=0))
        first = len(offers)
        offers += [dict(id=f"o{first + k}", shop=f"s{s}", **o) for k, o in enumerate(mine)]
        add = lambda **c: coupons.append(dict(id=f"c{len(coupons)}", shop=f"s{s}", group=f"g{s}", **c))
        kind = r.random()
        if kind < .35: add(kind="fixed", value=r.choice([300, 500, 1000]), min_spend=r.choice([1800, 2400, 4000, 6000]), cap=None, offers=None)
        elif kind < .65: add(kind="percent", value=r.choice([500, 1000, 1500, 2000]), min_spend=r.choice([0, 2000, 4000, 6000]), cap=r.choice([None, 1000, 2500]), offers=None)
        elif kind < .85:
            scope = [o["id"] for o in offers[first:] if r.random() < .35] or [offers[-1]["id"]]
            add(kind="percent", value=2500, min_spend=1000, cap=1500, offers=scope)
            add(kind="fixed", value=400, min_spend=2500, cap=None, offers=None)
    limits = dict(max_shops=r.choice([None, 4, 5, 6, 8]), max_pickups=r.choice([None, 1, 2]), budget=None, per_shop_hassle=r.choice([0, 100, 200]))
    sold = {i for o in offers for i, _ in o["covers"]}
    for it in items:
        if it["id"] not in sold or limits["max_shops"]: it["unmet_penalty_cents"] = it["unmet_penalty_cents"] or (int(it["ref_unit_cents"] * 2.5) if r.random() < .5 or it["id"] not in sold else None)
    return dict(schema="emptor-basket/1", name=f"make_{n_items}_{n_shops}_{seed}", items=items, shops=shops, offers=offers, coupons=coupons, limits=limits)


class Milp:
    """Collects a model and hands it to HiGHS."""

    def __init__(self):
        import highspy
        self.h = highspy.Highs(); self.h.silent(); self.h.setOptionValue("threads", 1); self.h.setOptionValue("mip_rel_gap", 0.0)
        self.inf, self.integer = highspy.kHighsInf, highspy.HighsVarType.kInteger
        self.cost = []

    def var(self, cost=0.0, lo=0.0, hi=1.0, integer=True):
        v = len(self.cost); self.cost.append(cost); self.h.addVar(lo, hi); self.h.changeColCost(v, cost)
        if integer: self.h.changeColIntegrality(v, self.integer)
        return v

    def row(self, terms, lo=None, hi=None):
        acc = {}
        for v, c in terms: acc[v] = acc.get(v, 0) + c
        self.h.addRow(-self.inf if lo is None else lo, self.inf if hi is None else hi, len(acc), list(acc), list(acc.values()))

    def solve(self, limit):
        self.h.setOptionValue("time_limit", float(limit)); self.h.run()
        info = self.h.getInfo()
        return info.objective_function_value, info.mip_dual_bound


def milp(inst):
    m, units = Milp(), {}
    cover, spend, weight, open_ = {}, {}, {}, {}
    for s in inst["shops"]: open_[s["id"]] = m.var(inst["limits"]["per_shop_hassle"])
    for o in inst["offers"]:
        line, z = [], []
        for k, b in enumerate(o["breaks"]):
            last = o["breaks"][k + 1]["min_qty"] - 1 if k + 1 < len(o["breaks"]) else o["max_qty"]
            last = min(last, o["max_qty"])
            if last < b["min_qty"]: continue
            q, y = m.var(b["unit"] + o["disutility"], 0, last), m.var()
            m.row([(q, 1), (y, -b["min_qty"])], lo=0); m.row([(q, 1), (y, -last)], hi=0)
            z.append((y, 1)); line.append((q, b["unit"]))
            for i, a in o["covers"]: cover.setdefault(i, []).append((q, a))
            weight.setdefault(o["shop"], []).append((q, o["weight_g"]))
        if z: m.row(z + [(open_[o["shop"]], -1)], hi=0)
        units[o["id"]] = line; spend.setdefault(o["shop"], []).extend(line)
    for it in inst["items"]:
        miss = m.var(it["unmet_penalty_cents"] or 0, 0, it["qty"] if it["unmet_penalty_cents"] is not None else 0)
        m.row(cover.get(it["id"], []) + [(miss, 1)], lo=it["qty"])
    off, groups = {}, {}
    for c in inst["coupons"]:
        base = [t for o in inst["offers"] if o["shop"] == c["shop"] and (c["offers"] is None or o["id"] in c["offers"]) for t in units[o["id"]]]
        most = sum(max(b["unit"] for b in o["breaks"]) * o["max_qty"] for o in inst["offers"] if o["shop"] == c["shop"])
        cap = c["value"] if c["kind"] == "fixed" else most
        if c["cap"] is not None: cap = min(cap, c["cap"])
        used, d = m.var(), m.var(-1.0, 0, cap)
        m.row(base + [(used, -c["min_spend"])], lo=0); m.row([(d, 1), (used, -cap)], hi=0)
        rate = 10000 if c["kind"] == "fixed" else c["value"]
        m.row([(d, 10000)] + [(v, -k * rate) for v, k in base], hi=0)
        off.setdefault(c["shop"], []).append((d, -1)); groups.setdefault(c["group"], []).append((used, 1))
    for g in groups.values(): m.row(g, hi=1)
    pickups = []
    for s in inst["shops"]:
        sid, ship = s["id"], s["ship"]; goods = spend.get(sid, [])
        e = m.var()
        if s["pickup"]:
            p = m.var(s["pickup"]["travel_cents"] + s["pickup"]["fee"]); pickups.append((p, 1))
            m.row([(e, 1), (p, 1), (open_[sid], -1)], lo=0, hi=0)
        else: m.row([(e, 1), (open_[sid], -1)], lo=0, hi=0)
        net = goods + (off.get(sid, []) if ship["basis"] == "after_coupons" else [])
        tiers = [(m.var(t["fee"]), t["min_spend"]) for t in ship["tiers"]]
        m.row([(w, 1) for w, _ in tiers] + [(e, -1)], lo=0, hi=0)
        m.row(net + [(w, -a) for w, a in tiers], lo=0)
        before, heavy = 0, sum(o["weight_g"] * o["max_qty"] for o in inst["offers"] if o["shop"] == sid)
        for t in ship["weight_tiers"]:
            h = m.var(t["add"] - before); before = t["add"]
            m.row(weight.get(sid, []) + [(h, -heavy), (e, heavy)], hi=heavy + t["over_g"])
        if s["min_order"]: m.row(goods + [(open_[sid], -s["min_order"])], lo=0)
    limits = inst["limits"]
    if limits["max_shops"] is not None: m.row([(v, 1) for v in open_.values()], hi=limits["max_shops"])
    if limits["max_pickups"] is not None and pickups: m.row(pickups, hi=limits["max_pickups"])
    return m


def cpu(who): u = resource.getrusage(who); return u.ru_utime + u.ru_stime


def compare(emptor, files, limit):
    for f in files:
        inst = json.load(open(f))
        t = cpu(resource.RUSAGE_CHILDREN)
        ours = json.loads(subprocess.run([emptor, "lab", "basket", f, "--limit-ms", str(limit * 1000)], capture_output=True, text=True, check=True).stdout)
        t = cpu(resource.RUSAGE_CHILDREN) - t
        u = cpu(resource.RUSAGE_SELF); model = milp(inst); cost, bound = model.solve(limit); u = cpu(resource.RUSAGE_SELF) - u
        print(f"{inst['name']:16s} emptor {ours['cost']} (bound {ours['bound']}, {t:.3f} s)  HiGHS {cost:.0f} (bound {bound:.0f}, {u:.3f} s)  ratio {t / u:.4f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make": print(json.dumps(make(*map(int, sys.argv[2:5]))))
    else:
        rest, limit = sys.argv[3:], 60
        if "--limit" in rest: at = rest.index("--limit"); limit = int(rest[at + 1]); del rest[at:at + 2]
        compare(sys.argv[2], rest, limit)
