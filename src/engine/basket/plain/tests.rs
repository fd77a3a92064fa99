//! The plain problem against brute force and the general search, on instances of the
//! kinds in the literature.

use super::super::{Instance, evaluate, solve, solve_general};
use super::*;
use proptest::prelude::*;

fn random(seed: u64) -> impl FnMut(i64, i64) -> i64 {
    let mut state = seed;
    move |low, high| {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        low + ((z ^ (z >> 31)) % (high - low + 1) as u64) as i64
    }
}

/// Prices around a reference price in an interval of each shop's own, some missing.
fn book(n: usize, m: usize, available: i64, seed: u64) -> Classic {
    let mut r = random(seed);
    let reference: Vec<i64> = (0..n).map(|_| 500 * r(1, 5)).collect();
    let mut price = Vec::new();
    for s in 0..m {
        let low = r(69, 109);
        let row = reference.iter().map(|p| {
            let price = p * r(low * 10, low * 10 + 380) / 1000;
            (s == 0 || r(1, 100) <= available).then_some(price)
        });
        price.push(row.collect());
    }
    let delivery = (0..m).map(|_| 500 * r(1, 6)).collect();
    Classic {
        n,
        price,
        delivery,
        discount: None,
    }
}

fn uniform(n: usize, m: usize, seed: u64) -> Classic {
    let mut r = random(seed);
    let price = (0..m).map(|_| (0..n).map(|_| Some(r(100, 10_000))).collect());
    Classic {
        n,
        price: price.collect(),
        delivery: (0..m).map(|_| r(100, 3_000)).collect(),
        discount: None,
    }
}

/// Few distinct and many extreme amounts, gaps, shops that sell nothing.
fn odd(seed: u64) -> Classic {
    let mut r = random(seed);
    let (n, m) = (r(1, 5) as usize, r(1, 5) as usize);
    let top = [3, 40, 3_000, 100_000_000_000][r(0, 3) as usize];
    let mut price: Vec<Vec<Option<Cents>>> = (0..m)
        .map(|_| (0..n).map(|_| (r(0, 2) > 0).then(|| r(0, top))).collect())
        .collect();
    let sellers: Vec<usize> = (0..n).map(|_| r(0, m as i64 - 1) as usize).collect();
    for (j, s) in sellers.into_iter().enumerate() {
        price[s][j] = Some(r(0, top));
    }
    let delivery = (0..m).map(|_| r(0, 1) * r(0, top)).collect();
    Classic {
        n,
        price,
        delivery,
        discount: None,
    }
}

fn proven(classic: &Classic) -> Cents {
    let solved = solve(&Instance::Classic(classic.clone()), &mut || false).expect("feasible");
    assert!(solved.optimal);
    solved.evaluation.cost
}

/// The least cost over all sets of shops.
fn brute_force(c: &Classic) -> Cents {
    let cost = |set: usize| -> Option<Cents> {
        let open: Vec<usize> = (0..c.price.len()).filter(|s| set >> s & 1 == 1).collect();
        let goods = (0..c.n).map(|j| open.iter().filter_map(|s| c.price[*s][j]).min());
        let fees: Cents = open.iter().map(|s| c.delivery[*s]).sum();
        Some(goods.sum::<Option<Cents>>()? + fees)
    };
    (0..1 << c.price.len())
        .filter_map(cost)
        .min()
        .expect("feasible")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_brute_force(seed: u64) {
        let small = odd(seed);
        prop_assert_eq!(proven(&small), brute_force(&small));
        let larger = book(6, 9, 60, seed);
        prop_assert_eq!(proven(&larger), brute_force(&larger));
    }

    #[test]
    fn an_offer_more_never_costs(seed: u64) {
        let all = book(12, 15, 80, seed);
        let mut fewer = all.clone();
        let mut r = random(!seed);
        for _ in 0..10 {
            fewer.price[r(1, 14) as usize][r(0, 11) as usize] = None;
        }
        prop_assert!(proven(&all) <= proven(&fewer));
    }

    #[test]
    fn cents_scale_and_order_does_not_matter(seed: u64, factor in 2_i64..1_000_000) {
        let one = book(8, 12, 70, seed);
        let mut other = one.clone();
        for price in other.price.iter_mut().flatten().flatten().chain(&mut other.delivery) {
            *price *= factor;
        }
        other.price.reverse();
        other.delivery.reverse();
        other.price.iter_mut().for_each(|row| row.reverse());
        prop_assert_eq!(proven(&one) * factor, proven(&other));
    }

    #[test]
    fn stopping_early_leaves_a_valid_gap(seed: u64, steps in 0_u32..60) {
        let instance = Instance::Classic(book(10, 25, 90, seed));
        let best = solve(&instance, &mut || false).expect("feasible").evaluation.cost;
        let mut left = steps;
        let mut stop = || left.checked_sub(1).map(|l| left = l).is_none();
        let s = solve(&instance, &mut stop).expect("an answer at any time");
        prop_assert!(s.bound <= best && best <= s.evaluation.cost);
        prop_assert_eq!(s.optimal, s.bound == s.evaluation.cost);
    }
}

#[test]
fn agrees_with_the_general_search() {
    for seed in 0..12 {
        let classics = [
            book(10, 30, 100, seed),
            book(14, 25, 70, seed),
            uniform(20, 40, seed),
        ];
        for classic in classics {
            let cost = proven(&classic);
            let instance = Instance::Classic(classic);
            let general = solve_general(&instance, &mut || false).expect("feasible");
            assert!(general.optimal);
            assert_eq!(cost, general.evaluation.cost, "seed {seed}");
        }
    }
}

#[test]
fn sizes_of_the_literature_are_proven() {
    for seed in 0..3 {
        for classic in [
            book(50, 240, 100, seed),
            book(100, 400, 70, seed),
            uniform(100, 400, seed),
        ] {
            proven(&classic);
        }
    }
}

#[test]
fn a_product_that_nobody_sells_is_named() {
    let mut classic = uniform(4, 3, 1);
    classic.price.iter_mut().for_each(|row| row[2] = None);
    let error = solve(&Instance::Classic(classic), &mut || false).expect_err("infeasible");
    assert_eq!(
        error,
        BasketError::Infeasible("no shop sells product 2".into())
    );
}

#[test]
fn free_goods_and_the_largest_amounts_do_not_overflow() {
    let classic = |price, delivery, n: usize, m: usize| Classic {
        n,
        price: vec![vec![Some(price); n]; m],
        delivery: vec![delivery; m],
        discount: None,
    };
    let max = super::super::instance::MAX_CENTS;
    assert_eq!(proven(&classic(0, 0, 30, 20)), 0);
    assert_eq!(proven(&classic(max, max, 3_000, 40)), 3_001 * max);
    assert_eq!(proven(&classic(0, max, 300, 400)), max);
    assert_eq!(proven(&classic(7, 5, 1, 10_000)), 12);
    assert_eq!(proven(&classic(7, 5, 10_000, 2)), 70_005);
}

#[test]
fn the_quick_reader_and_the_careful_one_agree() {
    let text = r#"{"m": 2, "n": 2, "name": "x", "price": [[1, null], [2, 3]],
        "delivery": [4, 5], "schema": "isop/1", "discount": null}"#;
    let instance = Instance::from_json(text).expect("reads");
    let solution = Solution::Classic { assign: vec![1, 1] };
    assert_eq!(evaluate(&instance, &solution).map(|e| e.cost), Ok(10));
    for (from, to, says) in [
        ("[2, 3]", "[2, -3]", "price[1][1]: must not be negative"),
        ("[2, 3]", "[2, 3.5]", "price[1][1]: must be a whole number"),
        ("[2, 3]", "[2]", "price[1]: must have 2 entries"),
        ("[2, 3]", "[2, null]", "no shop sells product 1"),
        ("\"n\": 2", "\"n\": 0", "n: must be at least 1"),
        ("[4, 5]", "[4, null]", "delivery[1]: must be a whole number"),
        (
            "[4, 5]",
            "[4, 100000000001]",
            "delivery[1]: 100000000001 is more",
        ),
        ("isop/1", "isop/2", "neither `isop/1`"),
    ] {
        let error = Instance::from_json(&text.replace(from, to)).expect_err("refused");
        assert!(error.to_string().contains(says), "{error}");
    }
}
