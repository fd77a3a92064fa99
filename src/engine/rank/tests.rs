//! The promises of the ranking, checked on random requests.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
struct Made {
    price: u32,
    shipping: Option<u32>,
    swiss: bool,
    days: Option<u32>,
    rating: Option<f64>,
    colour: Option<&'static str>,
}

fn made() -> impl Strategy<Value = Made> {
    (
        1_000_u32..4_000,
        proptest::option::weighted(0.85, select(vec![0, 390, 590])),
        any::<bool>(),
        proptest::option::weighted(0.9, 1_u32..20),
        proptest::option::weighted(0.9, 10_u32..50),
        proptest::option::weighted(0.9, select(vec!["black", "white", "red"])),
    )
        .prop_map(|(price, shipping, swiss, days, rating, colour)| Made {
            price,
            shipping,
            swiss,
            days,
            rating: rating.map(|r| f64::from(r) / 10.0),
            colour,
        })
}

fn offer(i: usize, m: &Made, scale: f64) -> Value {
    json!({
        "id": format!("o{i:02}"),
        "price_cents": f64::from(m.price) * scale,
        "shipping_cents": m.shipping.map(|s| f64::from(s) * scale),
        "currency": if m.swiss { "CHF" } else { "EUR" },
        "attrs": {"days": m.days, "rating": m.rating, "colour": m.colour},
    })
}

/// A request with everything in it, all amounts times `scale`.
fn request(offers: Vec<Value>, scale: f64) -> Request {
    let c = |x: f64| x * scale;
    serde_json::from_value(json!({
        "schema": "emptor-rank/1", "currency": "EUR", "fx": {"CHF": 1.04}, "k": 4,
        "criteria": [
            {"id": "days", "worth": {"type": "piecewise", "points": [[1, 0], [3, c(20.0)], [14, c(160.0)]]}},
            {"id": "rating", "worth": {"type": "piecewise", "points": [[1, c(400.0)], [4, c(60.0)], [5, 0]]}},
            {"id": "colour", "worth": {"type": "table", "cents": {"black": 0, "red": c(60.0)}, "default": c(30.0)}},
        ],
        "priors": {"shipping_cents": [0, c(490.0), c(990.0)]}, "risk_aversion": 0.2,
        "constraints": [{"id": "dear", "attr": "price_cents", "op": "<=", "value": c(3_900.0)}],
        "offers": offers, "explain": true,
    }))
    .expect("request")
}

fn plain(all: &[Made]) -> Request {
    scaled(all, 1.0)
}

fn scaled(all: &[Made], scale: f64) -> Request {
    let offers = all.iter().enumerate().map(|(i, m)| offer(i, m, scale));
    request(offers.collect(), scale)
}

fn ids(request: &Request) -> Vec<String> {
    let reply = rank(request).expect("sound");
    reply.ranked.iter().map(|r| r.id.to_owned()).collect()
}

fn place(request: &Request, id: &str) -> Option<usize> {
    ids(request).iter().position(|x| x == id)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn order_of_input_does_not_matter(all in prop::collection::vec(made(), 1..25)) {
        let straight = plain(&all);
        let mut turned = straight.clone();
        turned.offers.reverse();
        turned.criteria.rotate_left(1);
        let (a, b) = (rank(&straight).expect("sound"), rank(&turned).expect("sound"));
        prop_assert_eq!(&a.ranked, &b.ranked);
        prop_assert_eq!(&a.shortlist, &b.shortlist);
        prop_assert_eq!(&a.explanation.map(|e| e.shortlist), &b.explanation.map(|e| e.shortlist));
    }

    #[test]
    fn the_unit_of_money_does_not_matter(
        all in prop::collection::vec(made(), 1..25),
        scale in 0.2_f64..50.0,
    ) {
        prop_assert_eq!(ids(&plain(&all)), ids(&scaled(&all, scale)));
    }

    #[test]
    fn a_price_at_the_limit_meets_it_in_any_unit(scale in 0.2_f64..50.0) {
        let at_limit = Made {
            price: 3_750, // 39.00 in euros
            shipping: None,
            swiss: true,
            days: None,
            rating: None,
            colour: None,
        };
        prop_assert_eq!(ids(&scaled(&[at_limit], scale)), ["o00"]);
    }

    #[test]
    fn other_offers_do_not_matter(
        all in prop::collection::vec(made(), 2..25),
        gone in any::<prop::sample::Index>(),
    ) {
        let mut request = plain(&all);
        let mut before = ids(&request);
        let removed = request.offers.remove(gone.index(all.len())).id;
        before.retain(|id| *id != removed);
        prop_assert_eq!(before, ids(&request));
    }

    #[test]
    fn the_dominated_come_later_and_never_on_the_list(
        all in prop::collection::vec(made(), 1..20),
        which in any::<prop::sample::Index>(),
        dearer in 1_u32..300,
    ) {
        let mut all = all;
        let mut worse = all[which.index(all.len())].clone();
        prop_assume!(worse.shipping.is_some() && worse.days.is_some());
        prop_assume!(worse.rating.is_some() && worse.colour.is_some());
        worse.price += dearer;
        all.push(worse);
        let request = plain(&all);
        let id = format!("o{:02}", all.len() - 1);
        let other = format!("o{:02}", which.index(all.len() - 1));
        if let Some(p) = place(&request, &id) {
            prop_assert!(place(&request, &other).expect("ranked") < p);
        }
        let reply = rank(&request).expect("sound");
        prop_assert!(!reply.shortlist.contains(&id.as_str()));
    }

    #[test]
    fn a_lower_price_never_hurts(
        all in prop::collection::vec(made(), 1..25),
        which in any::<prop::sample::Index>(),
        cut in 0.1_f64..1.0,
    ) {
        let mut request = plain(&all);
        let i = which.index(all.len());
        let id = request.offers[i].id.clone();
        if let Some(before) = place(&request, &id) {
            request.offers[i].price_cents *= cut;
            prop_assert!(place(&request, &id).expect("ranked") <= before);
        }
    }

    #[test]
    fn what_is_missing_lies_between_its_best_and_its_worst(
        all in prop::collection::vec(made(), 2..25),
    ) {
        let request = plain(&all);
        let rate = |swiss: bool| if swiss { 1.04 } else { 1.0 };
        for (i, m) in all.iter().enumerate().filter(|(_, m)| m.shipping.is_none()) {
            let id = format!("o{i:02}");
            let Some(open) = place(&request, &id) else { continue };
            let with = |cents: f64| {
                let mut r = request.clone();
                r.offers[i].shipping_cents = Some(cents / rate(m.swiss));
                place(&r, &id).expect("ranked")
            };
            prop_assert!(with(0.0) <= open && open <= with(990.0));
        }
    }

    #[test]
    fn terms_add_up_exactly_and_ranges_are_ordered(all in prop::collection::vec(made(), 1..25)) {
        let request = plain(&all);
        let reply = rank(&request).expect("sound");
        for r in &reply.ranked {
            let e = r.effective_cents;
            prop_assert!(e.lo <= e.mid && e.mid <= e.hi);
            let sum = r.terms.iter().fold(json::Cents::default(), |sum, t| sum + t.cents);
            prop_assert_eq!(sum, e.mid);
        }
        let explanation = reply.explanation.expect("asked for");
        for note in &explanation.shortlist {
            let more: f64 = note.against_first.iter().map(|d| d.cents.value()).sum();
            let of = |id: &str| reply.ranked.iter().find(|r| r.id == id).expect("ranked");
            let gap = of(note.id).effective_cents.mid.value() - reply.ranked[0].effective_cents.mid.value();
            prop_assert!((more - gap).abs() < 1e-6);
        }
    }

    #[test]
    fn the_price_cut_shown_makes_it_first(all in prop::collection::vec(made(), 2..25)) {
        let request = plain(&all);
        let reply = rank(&request).expect("sound");
        for note in reply.explanation.expect("asked for").shortlist {
            let Some(cut) = note.price_cut_cents else { continue };
            let mut r = request.clone();
            let o = r.offers.iter_mut().find(|o| o.id == note.id).expect("there");
            let rate = if o.currency.as_deref() == Some("CHF") { 1.04 } else { 1.0 };
            o.price_cents -= cut / rate;
            prop_assert_eq!(place(&r, note.id), Some(0));
        }
    }

    #[test]
    fn the_short_list_is_short_and_starts_with_the_first(
        all in prop::collection::vec(made(), 1..25),
        k in 1_usize..6,
    ) {
        let mut request = plain(&all);
        request.k = k;
        let reply = rank(&request).expect("sound");
        prop_assert!(reply.shortlist.len() <= k);
        prop_assert_eq!(reply.shortlist.first().copied(), reply.ranked.first().map(|r| r.id));
        let mut unique = reply.shortlist.clone();
        unique.dedup();
        prop_assert_eq!(unique, reply.shortlist);
    }
}

#[test]
fn rejections_name_the_first_broken_constraint_and_unknowns_stay() {
    let mut r: Request = serde_json::from_value(json!({
        "currency": "EUR", "priors": {"shipping_cents": [0, 490, 990]}, "explain": true,
        "constraints": [
            {"id": "rated", "attr": "rating", "op": ">=", "value": 4},
            {"id": "colour", "attr": "colour", "op": "in", "value": ["red", 2]},
        ],
        "offers": [
            {"id": "bad", "price_cents": 10, "attrs": {"rating": 3.5, "colour": "blue"}},
            {"id": "blue", "price_cents": 10, "attrs": {"rating": 4, "colour": "blue"}},
            {"id": "two", "price_cents": 10, "attrs": {"rating": 5, "colour": 2.0}},
            {"id": "open", "price_cents": 10, "attrs": {"rating": null}},
            {"id": "yen", "price_cents": 10, "currency": "JPY"},
            {"id": "gift", "price_cents": -1},
        ],
    }))
    .expect("request");
    let reply = rank(&r).expect("sound");
    let why: Vec<_> = reply
        .rejected
        .iter()
        .map(|x| (x.id, x.constraint))
        .collect();
    let expected = [
        ("bad", "rated"),
        ("blue", "colour"),
        ("yen", "currency"),
        ("gift", "price"),
    ];
    assert_eq!(why, expected);
    assert_eq!(reply.rejected[0].value, json!(3.5));
    assert_eq!(reply.explanation.expect("asked for").unchecked.len(), 2);
    r.priors.shipping_cents = None;
    let reply = rank(&r).expect("sound");
    assert!(
        reply.ranked.is_empty(),
        "without a prior, unknown delivery has no cost"
    );
}

#[test]
fn unsound_requests_are_errors_not_rankings() {
    let base =
        json!({"currency": "EUR", "offers": [{"id": "a", "price_cents": 5, "shipping_cents": 0}]});
    let with = |key: &str, value: Value| {
        let mut request = base.clone();
        request[key] = value;
        let request: Request = serde_json::from_value(request).expect("shape");
        rank(&request).map(|r| r.ranked.len())
    };
    assert_eq!(with("k", json!(3)), Ok(1));
    for (key, value) in [
        ("schema", json!("emptor-rank/9")),
        ("k", json!(0)),
        ("risk_aversion", json!(1e300)),
        ("tradeoff_spread", json!(0.5)),
        ("regret_tolerance", json!(-0.1)),
        ("fx", json!({"CHF": 0})),
        ("priors", json!({"shipping_cents": [5, 1, 9]})),
        (
            "constraints",
            json!([{"id": "c", "attr": "x", "op": "in", "value": 3}]),
        ),
        (
            "criteria",
            json!([{"id": "c", "worth": {"type": "piecewise", "points": []}}]),
        ),
        (
            "offers",
            json!([{"id": "a", "price_cents": 1}, {"id": "a", "price_cents": 2}]),
        ),
    ] {
        assert!(with(key, value.clone()).is_err(), "{key} {value}");
    }
    let mut nan: Request = serde_json::from_value(base).expect("shape");
    nan.tradeoff_spread = f64::NAN;
    assert!(rank(&nan).is_err());
    nan.tradeoff_spread = 2.0;
    nan.offers[0].price_cents = f64::NAN;
    assert_eq!(rank(&nan).expect("sound").rejected[0].constraint, "price");
}
