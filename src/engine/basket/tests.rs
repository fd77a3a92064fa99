//! The solver against brute force, and relations that must hold between instances.

use super::conflict::{Conflict, Relief, conflict};
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A small generator of numbers: instances must be the same everywhere.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn upto(&mut self, n: u64) -> i64 {
        (self.next() % (n + 1)) as i64
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

/// A full-variant instance small enough to try everything.
fn small(seed: u64, percent: bool) -> Value {
    let mut r = Rng(seed);
    let items = 2 + r.upto(1);
    let shops = 2 + r.upto(1);
    let item = |r: &mut Rng, i: i64| {
        let penalty = if r.one_in(3) {
            json!(100 + r.upto(900))
        } else {
            Value::Null
        };
        json!({"id": format!("i{i}"), "qty": 1 + r.upto(2), "unmet_penalty_cents": penalty})
    };
    let shop = |r: &mut Rng, s: i64| {
        let fee = r.upto(400);
        let mut tiers = vec![json!({"min_spend": 0, "fee": fee})];
        if r.one_in(2) {
            let cheaper = if r.one_in(5) { fee + 50 } else { fee / 2 };
            tiers.push(json!({"min_spend": 300 + r.upto(900), "fee": cheaper}));
        }
        let weights = if r.one_in(3) {
            json!([{"over_g": 500, "add": r.upto(300)}])
        } else {
            json!([])
        };
        let pickup = if r.one_in(2) {
            json!({"travel_cents": r.upto(300), "fee": r.upto(50)})
        } else {
            Value::Null
        };
        let basis = if r.one_in(2) {
            "after_coupons"
        } else {
            "before_coupons"
        };
        json!({"id": format!("s{s}"), "pickup": pickup,
            "min_order": if r.one_in(4) { 200 + r.upto(500) } else { 0 },
            "ship": {"tiers": tiers, "basis": basis, "weight_tiers": weights}})
    };
    let item_list: Vec<Value> = (0..items).map(|i| item(&mut r, i)).collect();
    let shop_list: Vec<Value> = (0..shops).map(|s| shop(&mut r, s)).collect();
    let mut offers = Vec::new();
    for o in 0..4 + r.upto(2) {
        let first = r.upto(items as u64 - 1);
        let mut covers = vec![json!([format!("i{first}"), 1 + r.upto(1)])];
        if r.one_in(4) {
            let other = (first + 1) % items;
            covers.push(json!([format!("i{other}"), 1]));
        }
        let unit = 50 + r.upto(600);
        let mut breaks = vec![json!({"min_qty": 1 + i64::from(r.one_in(8)), "unit": unit})];
        if r.one_in(3) {
            breaks.push(json!({"min_qty": 3, "unit": unit * 7 / 10}));
        }
        offers.push(
            json!({"id": format!("o{o}"), "shop": format!("s{}", r.upto(shops as u64 - 1)),
            "covers": covers, "breaks": breaks, "max_qty": 1 + r.upto(2),
            "weight_g": r.upto(400), "disutility": if r.one_in(3) { r.upto(80) } else { 0 }}),
        );
    }
    let mut coupons = Vec::new();
    for c in 0..r.upto(3) {
        let s = r.upto(shops as u64 - 1);
        let of_shop = |o: &&Value| o["shop"] == json!(format!("s{s}"));
        let scope: Vec<Value> = offers
            .iter()
            .filter(of_shop)
            .map(|o| o["id"].clone())
            .collect();
        let scope = if r.one_in(2) || scope.is_empty() {
            Value::Null
        } else {
            json!([scope[0]])
        };
        let (kind, value) = match percent && r.one_in(2) {
            true => ("percent", 500 + r.upto(4000)),
            false => ("fixed", 50 + r.upto(400)),
        };
        let cap = if r.one_in(3) {
            json!(40 + r.upto(200))
        } else {
            Value::Null
        };
        coupons.push(
            json!({"id": format!("c{c}"), "shop": format!("s{s}"), "kind": kind,
            "value": value, "min_spend": r.upto(1000), "cap": cap, "offers": scope,
            "group": format!("g{}", r.upto(2))}),
        );
    }
    let some = |r: &mut Rng, value: i64| {
        if r.one_in(3) {
            json!(value)
        } else {
            Value::Null
        }
    };
    let limits = json!({
        "max_shops": some(&mut r, 1), "max_pickups": some(&mut r, 1),
        "budget": if r.one_in(4) { json!(800 + r.upto(2000)) } else { Value::Null },
        "per_shop_hassle": if r.one_in(3) { r.upto(200) } else { 0 }});
    json!({"schema": "emptor-basket/1", "items": item_list, "shops": shop_list,
        "offers": offers, "coupons": coupons, "limits": limits})
}

/// The least cost, by trying every quantity, mode and set of coupons.
fn brute_force(instance: &Instance) -> Option<Cents> {
    let Instance::Household(h) = instance else {
        unreachable!("only full instances are tried")
    };
    let mut best = None;
    let mut quantities = vec![0_i64; h.offers.len()];
    loop {
        let mut open: Vec<usize> = Vec::new();
        let mut purchase = Purchase::default();
        for (offer, qty) in h.offers.iter().zip(&quantities) {
            if *qty > 0 {
                purchase.buy.insert(offer.id.clone(), *qty);
                if !open.contains(&offer.shop) {
                    open.push(offer.shop);
                }
            }
        }
        for modes in 0..1_u32 << open.len() {
            purchase.mode.clear();
            for (k, s) in open.iter().enumerate() {
                let mode = if modes >> k & 1 == 1 {
                    Mode::Pickup
                } else {
                    Mode::Ship
                };
                purchase.mode.insert(h.shops[*s].id.clone(), mode);
            }
            for used in 0..1_u32 << h.coupons.len() {
                let chosen = h
                    .coupons
                    .iter()
                    .enumerate()
                    .filter(|(c, _)| used >> c & 1 == 1);
                purchase.coupons = chosen.map(|(_, c)| c.id.clone()).collect();
                if let Ok(e) = evaluate(instance, &Solution::Household(purchase.clone())) {
                    best = Some(best.map_or(e.cost, |b: Cents| b.min(e.cost)));
                }
            }
        }
        let Some(at) = (0..quantities.len()).find(|o| quantities[*o] < h.offers[*o].max_qty) else {
            return best;
        };
        quantities[at] += 1;
        quantities[..at].fill(0);
    }
}

fn read(value: &Value) -> Result<Instance, BasketError> {
    Instance::from_json(&value.to_string())
}

/// Whether coupons may take off more than goods cost: buying for the discount alone is
/// not tried, and so nothing proven.
fn over_the_price(instance: &Instance) -> bool {
    matches!(instance, Instance::Household(h) if h.overshoot > 0)
}

/// The least cost, `None` where nothing satisfies the list.
fn proven(value: &Value) -> Option<Cents> {
    let instance = match read(value) {
        Ok(i) => i,
        Err(BasketError::Invalid { .. }) => return None,
        Err(e) => panic!("{e} in {value}"),
    };
    match solve(&instance, &mut || false) {
        Ok(s) => {
            assert!(
                s.optimal || over_the_price(&instance),
                "not proven: {value}"
            );
            Some(s.evaluation.cost)
        }
        Err(BasketError::Infeasible(_) | BasketError::Invalid { .. }) => None,
        Err(e) => panic!("{e} in {value}"),
    }
}

/// Solves and compares with trying everything.
fn check(value: &Value) -> Result<(), TestCaseError> {
    let Ok(instance) = read(value) else {
        return Ok(());
    };
    match solve(&instance, &mut || false) {
        Ok(s) => {
            prop_assert_eq!(Some(s.evaluation.cost), brute_force(&instance), "{}", value);
            prop_assert!(s.optimal || over_the_price(&instance), "{}", value);
        }
        Err(BasketError::Infeasible(_)) => {
            prop_assert_eq!(None, brute_force(&instance), "{}", value);
        }
        Err(BasketError::Invalid { .. }) => {}
        Err(e) => prop_assert!(false, "{e}: {value}"),
    }
    Ok(())
}

/// The same instance, listed the other way round.
fn turned(value: &Value) -> Value {
    let mut turned = value.clone();
    for key in ["items", "shops", "offers", "coupons"] {
        if let Some(list) = turned[key].as_array_mut() {
            list.reverse();
        }
    }
    turned
}

#[test]
fn what_was_once_wrong_or_unproven() {
    for seed in [
        1_286_810_428_395_398_678,
        2_241_862_887_194_832_783,
        3_014_855_874_256_228_609,
        3_274_520_044_794_559_565,
        4_531_785_910_564_304_749,
        6_144_818_113_246_301_142,
        7_027_176_314_587_485_619,
        7_027_580_592_921_881_195,
        7_419_041_325_278_952_415,
        7_492_935_227_151_414_392,
        7_632_792_412_006_181_302,
        9_026_131_346_618_338_268,
        10_005_470_342_264_465_919,
        10_085_279_517_854_927_223,
        11_413_936_447_299_733_228,
        17_135_691_931_125_972_219,
        18_437_783_316_686_046_822,
    ] {
        for percent in [true, false] {
            let value = small(seed, percent);
            check(&value).expect("equal");
            check(&turned(&value)).expect("equal the other way round");
            check(&scale(&value, 5)).expect("equal in another unit");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_brute_force(seed: u64) {
        check(&small(seed, true))?;
    }

    #[test]
    fn an_offer_more_never_costs_and_a_coupon_less_never_saves(seed: u64) {
        let all = small(seed, true);
        let cost = proven(&all);
        let mut fewer = all.clone();
        let last = fewer["offers"].as_array_mut().and_then(Vec::pop).expect("has offers");
        // A coupon whose scope loses its only offer would mean the whole shop.
        let scoped = all["coupons"].as_array().is_some_and(|c| {
            c.iter().any(|c| c["offers"].as_array().is_some_and(|o| o.contains(&last["id"])))
        });
        if !scoped && let Some(without) = proven(&fewer) {
            prop_assert!(cost.is_some_and(|c| c <= without), "{}", all);
        }
        let mut poorer = all.clone();
        if poorer["coupons"].as_array_mut().and_then(Vec::pop).is_some()
            && let Some(without) = proven(&poorer)
        {
            prop_assert!(cost.is_some_and(|c| c <= without), "{}", all);
        }
    }

    #[test]
    fn cents_scale(seed: u64, factor in prop_oneof![2_i64..9, Just(100), Just(10_000)]) {
        let value = small(seed, false);
        let scaled = scale(&value, factor);
        prop_assert_eq!(proven(&value).map(|c| c * factor), proven(&scaled), "{}", value);
    }

    #[test]
    fn order_does_not_matter(seed: u64) {
        let value = small(seed, true);
        prop_assert_eq!(proven(&value), proven(&turned(&value)), "{}", value);
    }

    #[test]
    fn foreign_text_never_panics(text in ".{0,200}") {
        prop_assert!(Instance::from_json(&text).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_conflict_names_the_value_at_which_it_ends(seed: u64) {
        let value = small(seed, true);
        let Ok(instance) = read(&value) else { return Ok(()) };
        let Instance::Household(h) = &instance else { unreachable!("full schema") };
        if !matches!(solve(&instance, &mut || false), Err(BasketError::Infeasible(_))) {
            return Ok(());
        }
        let Conflict::Any(reliefs) = conflict(h, &mut || false) else { return Ok(()) };
        let works = |change: &dyn Fn(&mut Household)| {
            let mut h = h.clone();
            change(&mut h);
            brute_force(&Instance::Household(h)).is_some()
        };
        for relief in reliefs {
            let (enough, less) = match relief.clone() {
                Relief::Budget { least, .. } => (
                    works(&|h| h.limits.budget = Some(least)),
                    works(&|h| h.limits.budget = Some(least - 1)),
                ),
                Relief::MaxShops { least, .. } => (
                    works(&|h| h.limits.max_shops = Some(least)),
                    works(&|h| h.limits.max_shops = Some(least - 1)),
                ),
                Relief::MaxPickups { least, .. } => (
                    works(&|h| h.limits.max_pickups = Some(least)),
                    works(&|h| h.limits.max_pickups = Some(least - 1)),
                ),
                Relief::MinOrder { short } => {
                    (works(&|h| h.shops.iter_mut().for_each(|s| s.min_order = 0)), short.is_empty())
                }
            };
            prop_assert!(enough && !less, "{relief} in {value}");
        }
    }

    #[test]
    fn percentages_over_the_price_are_never_proven_wrongly(seed: u64, bp in 5_000_i64..9_900) {
        check_percentages(seed, bp)?;
    }
}

/// Two coupons that take the price or more off everything, in one shop.
fn check_percentages(seed: u64, bp: i64) -> Result<(), TestCaseError> {
    let mut value = small(seed, true);
    let shop = value["shops"][0]["id"].clone();
    let coupon = |id: &str| {
        json!({"id": id, "shop": shop, "kind": "percent", "value": bp,
            "min_spend": 0, "cap": null, "offers": null, "group": id})
    };
    value["coupons"] = json!([coupon("x"), coupon("y")]);
    let Ok(instance) = read(&value) else {
        return Ok(());
    };
    if let Ok(s) = solve(&instance, &mut || false) {
        let best = brute_force(&instance);
        prop_assert!(
            best.is_some_and(|b| s.bound <= b && b <= s.evaluation.cost),
            "{}",
            value
        );
        prop_assert!(!s.optimal || Some(s.evaluation.cost) == best, "{}", value);
    }
    Ok(())
}

/// Halves that are floored apart leave a cent, which buying more saves.
#[test]
fn two_halves_off_are_not_proven() {
    check_percentages(7_605_173_851_781_383_477, 5_000).expect("no wrong claim");
}

/// One offer reaches the minimum order alone; there are too many ways to do it with all.
#[test]
fn a_minimum_order_is_reached_among_many_alike() {
    let free = |id: &str, most: i64, disutility: i64| {
        json!({"id": id, "shop": "s", "covers": [["i", 1]], "max_qty": most, "weight_g": 0,
            "disutility": disutility, "breaks": [{"min_qty": 1, "unit": 0}]})
    };
    let mut paid = free("paid", 100, 1_146);
    paid["breaks"][0]["unit"] = json!(1_146);
    let value = json!({"schema": "emptor-basket/1",
        "items": [{"id": "i", "qty": 6, "unmet_penalty_cents": null}],
        "shops": [{"id": "s", "min_order": 10_000, "pickup": null,
            "ship": {"tiers": [{"min_spend": 0, "fee": 490}], "basis": "after_coupons",
                "weight_tiers": []}}],
        "offers": [free("a", 2, 0), free("b", 100, 940), free("c", 2, 0), free("d", 2, 0), paid],
        "coupons": [], "limits": {}});
    let instance = read(&value).expect("an instance");
    let solved = solve(&instance, &mut || false).expect("an answer");
    assert_eq!(solved.evaluation.cost, 9 * (1_146 + 1_146) + 490);
}

/// Multiplies every amount of money, and nothing else.
fn scale(value: &Value, factor: i64) -> Value {
    const MONEY: [&str; 11] = [
        "unmet_penalty_cents",
        "min_spend",
        "fee",
        "add",
        "travel_cents",
        "min_order",
        "unit",
        "disutility",
        "cap",
        "budget",
        "per_shop_hassle",
    ];
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(k, v)| match v.as_i64() {
                Some(n) if MONEY.contains(&k.as_str()) || k == "value" => {
                    (k.clone(), json!(n * factor))
                }
                _ => (k.clone(), scale(v, factor)),
            })
            .collect(),
        Value::Array(list) => list.iter().map(|v| scale(v, factor)).collect(),
        other => other.clone(),
    }
}

fn classic(seed: u64, discount: bool) -> Value {
    let mut r = Rng(seed);
    let (n, m) = (2 + r.upto(3), 2 + r.upto(3));
    let row = |r: &mut Rng| -> Vec<Value> {
        (0..n)
            .map(|_| {
                if r.one_in(4) {
                    Value::Null
                } else {
                    json!(100 + r.upto(2000))
                }
            })
            .collect()
    };
    let mut price: Vec<Vec<Value>> = (0..m).map(|_| row(&mut r)).collect();
    for j in 0..n {
        price[0][j as usize] = json!(3000);
    }
    let delivery: Vec<i64> = (0..m).map(|_| r.upto(1500)).collect();
    let mut value =
        json!({"schema": "isop/1", "n": n, "m": m, "price": price, "delivery": delivery});
    if discount {
        value["discount"] = json!({"breaks": [1000, 2500], "rate_bp": [0, 333, 1999]});
    }
    value
}

/// Solves a classic instance and compares with trying everything.
fn check_classic(seed: u64, discount: bool) -> Result<(), TestCaseError> {
    let instance = read(&classic(seed, discount)).expect("well formed");
    let Instance::Classic(c) = &instance else {
        unreachable!("classic")
    };
    let mut best = Cents::MAX;
    let m = c.price.len();
    for code in 0..m.pow(c.n as u32) {
        let assign = (0..c.n).map(|j| code / m.pow(j as u32) % m).collect();
        if let Ok(e) = evaluate(&instance, &Solution::Classic { assign }) {
            best = best.min(e.cost);
        }
    }
    let solved = solve(&instance, &mut || false).expect("feasible");
    prop_assert!(solved.optimal);
    prop_assert_eq!(solved.evaluation.cost, best);
    Ok(())
}

#[test]
fn carts_that_overlap_are_counted_once() {
    for seed in [
        940_533_565_499_260_416,
        14_028_654_087_466_029_149,
        16_937_738_137_567_931_139,
    ] {
        check_classic(seed, true).expect("equal");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn classic_equals_brute_force(seed: u64, discount: bool) {
        check_classic(seed, discount)?;
    }
}

#[test]
fn stopping_at_once_never_claims_a_proof() {
    for seed in 0..200 {
        let Ok(instance) = read(&small(seed, true)) else {
            continue;
        };
        let mut left = 3;
        let mut stop = || {
            left -= 1;
            left < 0
        };
        if let Ok(s) = solve(&instance, &mut stop) {
            let best = brute_force(&instance).expect("feasible");
            assert!(s.bound <= best && best <= s.evaluation.cost);
            assert!(!s.optimal || s.evaluation.cost == best);
        }
    }
}

#[test]
fn errors_name_the_field() {
    let good = small(7, true);
    let error = |path: &[&str], value: Value| -> String {
        let mut bad = good.clone();
        let mut at = &mut bad;
        for key in path {
            at = match key.parse::<usize>() {
                Ok(i) => &mut at[i],
                Err(_) => &mut at[*key],
            };
        }
        *at = value;
        read(&bad).expect_err("refused").to_string()
    };
    let says = |text: &str, parts: &[&str]| {
        assert!(parts.iter().all(|p| text.contains(p)), "{text}");
    };
    says(
        &error(&["offers", "0", "max_qty"], json!(-1)),
        &["offers[0].max_qty", "negative"],
    );
    let mut heavy = good["offers"][0].clone();
    heavy["max_qty"] = json!(100_000);
    heavy["weight_g"] = json!(100_000_000_000_i64);
    says(
        &error(&["offers", "0"], heavy),
        &["offers", "weights overflow"],
    );
    says(
        &error(&["offers", "0", "breaks", "0", "unit"], json!(1.5)),
        &["offers[0].breaks[0].unit"],
    );
    says(
        &error(&["offers", "0", "breaks", "0", "unit"], json!(u64::MAX)),
        &["unit", "more than"],
    );
    says(
        &error(&["max_shops"], json!(1)),
        &["max_shops: belongs into `limits`"],
    );
    says(
        &error(&["offers", "0", "shop"], json!("s99")),
        &["offers[0].shop", "no shop `s99`"],
    );
    says(
        &error(&["offers", "0", "covers"], json!([["i99", 1]])),
        &["covers[0][0]", "no item `i99`"],
    );
    says(
        &error(&["limits", "budget"], json!(-5)),
        &["limits.budget", "negative"],
    );
    says(
        &error(&["items", "1", "id"], json!("i0")),
        &["items[1].id", "two items"],
    );
    says(&error(&["schema"], json!("x/1")), &["schema", "isop/1"]);
    let coupon = json!([{"id": "c0", "shop": "s0", "kind": "fixed", "value": 1, "min_spend": 0,
        "cap": null, "offers": ["c0"], "group": "g"}]);
    says(
        &error(&["coupons"], coupon),
        &["coupons[0].offers[0]", "itself"],
    );
    says(&error(&["offers"], json!([])), &["items[", "no offer"]);
    assert!(matches!(
        Instance::from_json("{\"n\": NaN}"),
        Err(BasketError::NotJson { .. })
    ));
}

/// Two shops, a bundle, a threshold: small enough to check by hand.
fn household() -> Household {
    let value = json!({"schema": "emptor-basket/1",
        "items": [{"id": "tea", "qty": 1, "unmet_penalty_cents": null},
                  {"id": "cup", "qty": 1, "unmet_penalty_cents": 10}],
        "shops": [
            {"id": "a", "ship": {"tiers": [{"min_spend": 0, "fee": 400}, {"min_spend": 2000, "fee": 0}],
             "basis": "before_coupons", "weight_tiers": []}, "pickup": null, "min_order": 0},
            {"id": "b", "ship": {"tiers": [{"min_spend": 0, "fee": 100}], "basis": "before_coupons",
             "weight_tiers": []}, "pickup": null, "min_order": 0}],
        "offers": [
            {"id": "a-tea", "shop": "a", "covers": [["tea", 1]], "breaks": [{"min_qty": 1, "unit": 1500}],
             "max_qty": 1, "weight_g": 1, "disutility": 0},
            {"id": "b-tea", "shop": "b", "covers": [["tea", 1]], "breaks": [{"min_qty": 1, "unit": 1850}],
             "max_qty": 1, "weight_g": 1, "disutility": 0},
            {"id": "a-set", "shop": "a", "covers": [["tea", 1], ["cup", 1]], "breaks": [{"min_qty": 1, "unit": 1505}],
             "max_qty": 1, "weight_g": 1, "disutility": 0}],
        "coupons": [], "limits": {"max_shops": 1, "max_pickups": null, "budget": null, "per_shop_hassle": 0}});
    match read(&value) {
        Ok(Instance::Household(h)) => h,
        other => panic!("{other:?}"),
    }
}

/// The purchase of the best plan.
fn best(h: &Household) -> (Purchase, Cents) {
    let solved = solve(&Instance::Household(h.clone()), &mut || false).expect("feasible");
    match solved.solution {
        Solution::Household(purchase) => (purchase, solved.evaluation.cost),
        Solution::Classic { .. } => unreachable!("full schema"),
    }
}

#[test]
fn what_a_bundle_saves_is_told_of_best_plans_only() {
    let mut told = 0;
    for seed in 0..300 {
        let Ok(Instance::Household(h)) = read(&small(seed, true)) else {
            continue;
        };
        if solve(&Instance::Household(h.clone()), &mut || false).is_err() {
            continue;
        }
        let (purchase, cost) = best(&h);
        let all = explain::bundles(&h, &purchase, cost, &mut || false).expect("solves");
        for stop_after in 0..6 {
            let mut asked = 0;
            let mut stop = || {
                asked += 1;
                asked > stop_after
            };
            let some = explain::bundles(&h, &purchase, cost, &mut stop).expect("solves");
            for bundle in &some {
                assert!(all.contains(bundle), "{seed}: {bundle:?} of {all:?}");
            }
        }
        told += all.len();
    }
    assert!(told > 0);
}

#[test]
fn a_further_shop_never_costs_more_however_short_the_time() {
    let mut splits = 0;
    for seed in 0..300 {
        let Ok(Instance::Household(mut h)) = read(&small(seed, true)) else {
            continue;
        };
        h.limits.max_shops = None;
        let Ok(best) = solve(&Instance::Household(h.clone()), &mut || false) else {
            continue;
        };
        let used = explain::carts(&h, bought(&best)).len();
        for stop_after in 0..12 {
            let mut asked = 0;
            let mut stop = || {
                asked += 1;
                asked > stop_after
            };
            for split in explain::splits(&h, &best, used, 3, &mut stop).filter_map(Result::ok) {
                assert!(split.saving.is_none_or(|s| s >= 0), "{seed}: {split:?}");
                splits += 1;
            }
        }
    }
    assert!(splits > 0);
}

#[test]
fn explains_the_plan() {
    let h = household();
    let solved = solve(&Instance::Household(h.clone()), &mut || false).expect("feasible");
    assert_eq!(solved.evaluation.cost, 1905);
    let Solution::Household(purchase) = &solved.solution else {
        unreachable!("full schema")
    };
    let carts = explain::carts(&h, purchase);
    assert_eq!(carts.len(), 1);
    assert_eq!(carts[0].next_tier, Some((495, 400)));
    assert_eq!((carts[0].fee, carts[0].payable()), (400, 1905));
    let bundles = explain::bundles(&h, purchase, 1905, &mut || false).expect("solves");
    assert_eq!(bundles[0].saves, Some(5));
    assert_eq!((bundles[0].price, bundles[0].apart), (1505, 1500));
    assert_eq!(bundles[0].only_here, ["cup"]);
    assert_eq!(bundles[0].bought_anyway, ["tea"]);
    assert_eq!(explain::worst_case(&h, purchase, &[0], 990), Some(2495));
    let mut never = || false;
    let splits: Vec<_> = explain::splits(&h, &solved, 1, 3, &mut never).collect();
    assert!(matches!(&splits[..], [Ok(one)] if one.shops == 1 && one.saving.is_none()));
    let prices = explain::limit_prices(&h, 1905, &mut || false).expect("solves");
    assert_eq!(prices[0].saving, Some(0));
}

#[test]
fn a_percentage_takes_its_share_of_what_is_added() {
    let mut h = household();
    h.coupons.push(Coupon {
        id: "tenth".into(),
        shop: 0,
        kind: CouponKind::Percent(1_000),
        min_spend: 0,
        cap: None,
        offers: None,
        group: 0,
    });
    h.shops[0].basis = Basis::AfterCoupons;
    let purchase = Purchase {
        buy: [("a-set".to_owned(), 1)].into(),
        mode: [("a".to_owned(), Mode::Ship)].into(),
        coupons: vec!["tenth".to_owned()],
    };
    // 15.05 less 1.50 is 13.55. 22.22 less 2.22 is the first to leave 20.00.
    let next = |h: &Household| explain::carts(h, &purchase)[0].next_tier;
    assert_eq!(next(&h), Some((2_222 - 1_505, 400)));
    h.coupons[0].cap = Some(160);
    assert_eq!(next(&h), Some((2_160 - 1_505, 400)));
    h.coupons[0].offers = Some(vec![0]);
    h.coupons[0].cap = None;
    assert!(next(&h).is_some_and(|(more, _)| more <= 2_222 - 1_505));
    h.coupons[0].offers = None;
    h.coupons[0].kind = CouponKind::Percent(10_000);
    assert_eq!(next(&h), None, "nothing that is free reaches a threshold");
}

/// Shops that each sell most things, at prices near each other: hard to choose among.
fn crowded(items: i64, shops: i64) -> Household {
    let mut r = Rng(5);
    let item = |i: i64| json!({"id": format!("i{i}"), "qty": 1, "unmet_penalty_cents": null});
    let mut offers = Vec::new();
    let mut all = Vec::new();
    for s in 0..shops {
        let tiers =
            json!([{"min_spend": 0, "fee": 290 + r.upto(500)}, {"min_spend": 7_900, "fee": 0}]);
        all.push(
            json!({"id": format!("s{s}"), "pickup": null, "min_order": 0,
            "ship": {"tiers": tiers, "basis": "before_coupons", "weight_tiers": []}}),
        );
        for i in (0..items).filter(|_| !r.one_in(5)).collect::<Vec<_>>() {
            let unit = 400 + 90 * i + r.upto(300);
            offers.push(json!({"id": format!("{s}-{i}"), "shop": format!("s{s}"), "covers": [[format!("i{i}"), 1]],
                "breaks": [{"min_qty": 1, "unit": unit}], "max_qty": 1, "weight_g": 0, "disutility": 0}));
        }
    }
    let value = json!({"schema": "emptor-basket/1", "items": (0..items).map(item).collect::<Vec<_>>(),
        "shops": all, "offers": offers, "coupons": [],
        "limits": {"max_shops": null, "max_pickups": null, "budget": null, "per_shop_hassle": 0}});
    match read(&value) {
        Ok(Instance::Household(h)) => h,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_shop_more_never_costs_more_however_little_time_there_is() {
    let h = crowded(24, 10);
    let solved = solve(&Instance::Household(h.clone()), &mut || false).expect("feasible");
    let used = explain::carts(&h, bought(&solved)).len();
    assert!(used > 3, "{used}");
    let mut unproven = 0;
    for patience in [1, 5, 20, 60, 150, 400, 1_000] {
        let mut asked = 0;
        let mut stop = || {
            asked += 1;
            asked > patience
        };
        let splits = explain::splits(&h, &solved, used, used, &mut stop);
        let found: Vec<_> = splits.filter_map(Result::ok).collect();
        let plans: Vec<&Solved> = found.iter().filter_map(|s| s.plan.as_ref()).collect();
        unproven += plans.iter().filter(|p| !p.optimal).count();
        let costs = plans.windows(2).map(|w| (w[0].evaluation.cost, &w[1]));
        for (before, now) in costs {
            assert!(now.evaluation.cost < before || now.optimal && now.evaluation.cost == before);
        }
        let last = found.last().expect("the best plan is known");
        assert_eq!(
            (last.shops, last.plan.as_ref().map(|p| p.evaluation.cost)),
            (used, Some(solved.evaluation.cost))
        );
    }
    assert!(unproven > 0, "the time never ran out");
}

fn bought(solved: &Solved) -> &Purchase {
    match &solved.solution {
        Solution::Household(purchase) => purchase,
        Solution::Classic { .. } => unreachable!("full schema"),
    }
}
