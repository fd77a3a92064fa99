//! Small lists made of the bytes, with every feature and amounts up to the limits: each
//! answer is confirmed by the evaluator, and no claim of a proof depends on the time.
#![no_main]

use emptor::engine::basket::conflict::conflict;
use emptor::engine::basket::{BasketError, Instance, evaluate, solve};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// Looks at the clock before the search is told to stop.
const PATIENCE: u32 = 2_000;

/// An amount: mostly ordinary, at times at the limits of what is read.
fn amount(u: &mut Unstructured<'_>) -> Result<i64> {
    Ok(match u.int_in_range(0..=7)? {
        0 => 0,
        1 => u.int_in_range(0..=3)?,
        2 => *u.choose(&[i64::MAX, -1, 100_000_000_000, 99_999_999_999, 1 << 40])?,
        _ => u.int_in_range(0..=3_000)?,
    })
}

fn maybe(u: &mut Unstructured<'_>, value: i64) -> Result<Value> {
    Ok(if u.ratio(1, 3)? {
        json!(value)
    } else {
        Value::Null
    })
}

fn steps(u: &mut Unstructured<'_>, from: &str, value: &str, first: i64) -> Result<Value> {
    let mut start = first;
    let mut out = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        out.push(json!({from: start, value: amount(u)?}));
        start += u.int_in_range(1..=900)?;
    }
    Ok(Value::from(out))
}

fn name(u: &mut Unstructured<'_>, kind: &str, count: usize) -> Result<String> {
    Ok(format!("{kind}{}", u.choose_index(count.max(1))?))
}

fn list(u: &mut Unstructured<'_>) -> Result<Value> {
    let (items, shops) = (u.int_in_range(1..=4)?, u.int_in_range(1..=4)?);
    let (offers, coupons) = (u.int_in_range(0..=8)?, u.int_in_range(0..=4)?);
    let mut all = json!({"schema": "emptor-basket/1", "items": [], "shops": [], "offers": [],
        "coupons": [], "limits": {}});
    let mut add = |kind: &str, value: Value| {
        if let Some(list) = all[kind].as_array_mut() {
            list.push(value);
        }
    };
    for i in 0..items {
        let penalty = amount(u)?;
        add(
            "items",
            json!({"id": format!("i{i}"), "qty": u.int_in_range(1..=6)?,
            "unmet_penalty_cents": maybe(u, penalty)?}),
        );
    }
    for s in 0..shops {
        let pickup = json!({"travel_cents": amount(u)?, "fee": amount(u)?});
        add(
            "shops",
            json!({"id": format!("s{s}"), "min_order": amount(u)?,
            "pickup": if u.ratio(1, 2)? { pickup } else { Value::Null },
            "ship": {"tiers": steps(u, "min_spend", "fee", 0)?,
                "basis": *u.choose(&["after_coupons", "before_coupons"])?,
                "weight_tiers": steps(u, "over_g", "add", 0)?}}),
        );
    }
    for o in 0..offers {
        let mut covers = vec![json!([name(u, "i", items)?, u.int_in_range(1..=4)?])];
        if u.ratio(1, 3)? {
            covers.push(json!([name(u, "i", items)?, 1]));
        }
        let first = u.int_in_range(1..=2)?;
        add(
            "offers",
            json!({"id": format!("o{o}"), "shop": name(u, "s", shops)?,
            "covers": covers, "breaks": steps(u, "min_qty", "unit", first)?,
            "max_qty": *u.choose(&[0, 1, 2, 5, 100, 100_000])?,
            "weight_g": amount(u)?, "disutility": amount(u)?}),
        );
    }
    for c in 0..coupons {
        let cap = amount(u)?;
        let scope = match u.ratio(1, 2)? {
            true => json!([name(u, "o", offers)?]),
            false => Value::Null,
        };
        let (kind, value) = match u.ratio(1, 2)? {
            true => ("percent", u.int_in_range(0..=10_000)?),
            false => ("fixed", amount(u)?),
        };
        add(
            "coupons",
            json!({"id": format!("c{c}"), "shop": name(u, "s", shops)?,
            "kind": kind, "value": value, "min_spend": amount(u)?, "cap": maybe(u, cap)?,
            "offers": scope, "group": name(u, "g", 3)?}),
        );
    }
    let (shops, pickups) = (u.int_in_range(0..=3)?, u.int_in_range(0..=3)?);
    let budget = amount(u)?;
    all["limits"] = json!({"max_shops": maybe(u, shops)?, "max_pickups": maybe(u, pickups)?,
        "budget": maybe(u, budget)?, "per_shop_hassle": amount(u)?});
    Ok(all)
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = list(&mut Unstructured::new(bytes)) else {
        return;
    };
    let Ok(instance) = Instance::from_json(&list.to_string()) else {
        return;
    };
    let mut asked = 0;
    let mut stop = || {
        asked += 1;
        asked > PATIENCE
    };
    let solved = match solve(&instance, &mut stop) {
        Err(BasketError::Inconsistent(problem)) => panic!("{problem}: {list}"),
        solved => solved,
    };
    if let Ok(solved) = &solved {
        let checked = evaluate(&instance, &solved.solution).expect("an acceptable answer");
        assert_eq!(checked.cost, solved.evaluation.cost, "{list}");
        assert!(solved.bound <= checked.cost, "{list}");
    }
    if let (Err(BasketError::Infeasible(_)), Instance::Household(h)) = (&solved, &instance) {
        let _ = conflict(h, &mut stop);
    }
    // What was found at once may be worse, but is never better than what was proven.
    if let Ok(early) = solve(&instance, &mut || true) {
        match &solved {
            Ok(s) if s.optimal => assert!(early.evaluation.cost >= s.bound, "{list}"),
            Err(BasketError::Infeasible(_)) => panic!("feasible after all: {list}"),
            _ => {}
        }
    }
});
