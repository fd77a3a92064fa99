use super::*;
use crate::engine::landed::{DeliveryPrior, LandedContext, landed};
use crate::model::landed::TermKind;
use crate::model::offer::Shipping;
use crate::model::seller::DeliveryRule;
use crate::model::time::Timestamp;
use crate::model::want::{Preference, Requirement};
use jiff::civil::date;

const TODAY: Date = date(2026, 3, 5);

struct Shelf {
    offer: Offer,
    cost: Result<LandedCost, LandedError>,
    shop: &'static str,
}

fn shelf(shop: &'static str, price: &str, change: impl FnOnce(&mut Offer)) -> Shelf {
    let mut offer = Offer {
        price: price.parse().ok(),
        availability: Availability::InStock,
        shipping: Some(Shipping {
            cost: Some(Money::zero(Currency::EUR)),
            max_days: Some(5),
            ..Shipping::default()
        }),
        ..Offer::default()
    };
    change(&mut offer);
    let prior = DeliveryPrior::default();
    let ctx = LandedContext::new(Currency::EUR, &[], &prior, TODAY);
    let cost = landed(&offer, &DeliveryRule::default(), &ctx);
    Shelf { offer, cost, shop }
}

fn days(n: u32) -> impl Fn(&mut Offer) {
    move |o| {
        if let Some(s) = &mut o.shipping {
            s.max_days = Some(n);
        }
    }
}

fn want(change: impl FnOnce(&mut Want)) -> Want {
    let mut want = Want::new("drill", Timestamp::UNIX_EPOCH);
    change(&mut want);
    want
}

fn run(want: &Want, all: &[Shelf]) -> Ranking {
    let candidates: Vec<Candidate<'_>> = all
        .iter()
        .map(|s| Candidate {
            id: s.shop,
            offer: &s.offer,
            landed: s.cost.as_ref(),
            shop: s.shop,
            shop_days: None,
            distance_km: None,
            age_days: Some(0),
        })
        .collect();
    for_want(want, &candidates, &WantContext::new(Currency::EUR, TODAY))
}

fn order_of(r: &Ranking) -> Vec<&str> {
    r.ranked.iter().map(|x| x.id.as_str()).collect()
}

#[test]
fn a_worth_buys_speed_and_is_explained_in_money() {
    let want = want(|w| w.prefer = vec!["delivery<=2:6".parse().expect("preference")]);
    let r = run(
        &want,
        &[
            shelf("slow.example", "100.00 EUR", days(5)),
            shelf("fast.example", "104.10 EUR", days(2)),
        ],
    );
    assert_eq!(order_of(&r), ["fast.example", "slow.example"]);
    let slow = &r.ranked[1];
    assert_eq!(slow.mid.to_string(), "106.00 EUR");
    assert_eq!(slow.landed.to_string(), "100.00 EUR");
    let sum: Decimal = slow.terms.iter().map(|t| t.mid).sum();
    assert_eq!(sum, slow.mid.amount);
    // Worth 3 to 12, so both are worth showing; each says where it wins.
    let listed = &r.shortlist[1];
    assert_eq!(
        listed.against_first.to_string(),
        "costs 4.10 EUR less than fast.example, but arrives 3 days later, which you said is worth 6.00 EUR"
    );
    assert_eq!(
        listed.wins,
        "wins if delivery<=2 is worth at most 0.68 times what you said"
    );
    assert_eq!(
        listed.price_cut.map(|m| m.to_string()),
        Some("1.91 EUR".to_owned())
    );
}

#[test]
fn when_nothing_is_left_the_summary_says_why_and_what_is_nearest() {
    let want = want(|w| w.need_by = Some(date(2026, 3, 7)));
    let r = run(
        &want,
        &[
            shelf("a.example", "10 EUR", days(9)),
            shelf("b.example", "20 EUR", days(4)),
            shelf("c.example", "30 EUR", days(5)),
        ],
    );
    assert!(r.ranked.is_empty() && r.shortlist.is_empty() && r.best().is_none());
    assert_eq!(
        r.summary.to_string(),
        "no offer meets all conditions. 3 offers arrive after 2026-03-07; the nearest is b.example: 4 days, 2 too many"
    );
}

#[test]
fn unknown_values_are_kept_and_flagged() {
    let want = want(|w| w.must = vec!["brand=Bosch".parse().expect("condition")]);
    let r = run(
        &want,
        &[
            shelf("silent.example", "10 EUR", |_| {}),
            shelf("other.example", "9 EUR", |o| {
                o.brand = Some("Acme".to_owned())
            }),
        ],
    );
    assert_eq!(order_of(&r), ["silent.example"]);
    assert_eq!(
        r.ranked[0].flags,
        ["nobody says whether it is made by Bosch".into()]
    );
    assert_eq!(r.rejected[0].constraint, "brand=Bosch");
    assert_eq!(r.rejected[0].value, "Acme");
}

#[test]
fn what_cannot_be_had_now_comes_last_and_never_first() {
    let stock = |a| move |o: &mut Offer| o.availability = a;
    let all = [
        shelf("gone.example", "5 EUR", stock(Availability::OutOfStock)),
        shelf("later.example", "6 EUR", stock(Availability::BackOrder)),
        shelf("unknown.example", "8 EUR", stock(Availability::Unknown)),
        shelf("now.example", "9 EUR", |_| {}),
    ];
    let r = run(&want(|_| {}), &all);
    let expected = [
        "unknown.example",
        "now.example",
        "later.example",
        "gone.example",
    ];
    assert_eq!(order_of(&r), expected);
    assert_eq!(r.ranked[3].flags, ["out of stock".into()]);
    assert!(r.shortlist.iter().all(|l| l.id != "gone.example"));
    let r = run(&want(|_| {}), &all[..1]);
    assert!(r.best().is_none() && r.shortlist.is_empty());
    assert_eq!(r.summary.to_string(), "nothing can be had now");
}

#[test]
fn the_limit_is_for_one_delivered_and_doubt_does_not_reject() {
    let open = |o: &mut Offer| o.shipping = None;
    let want = want(|w| w.limit = "12 EUR".parse().ok());
    let r = run(
        &want,
        &[
            shelf("dear.example", "12.50 EUR", |_| {}),
            shelf("open.example", "10 EUR", open),
            shelf("foreign.example", "10 JPY", |_| {}),
        ],
    );
    assert_eq!(order_of(&r), ["open.example"]);
    assert_eq!(
        r.ranked[0].flags,
        ["may come to more than your limit".into()]
    );
    assert_eq!(r.rejected[0].excess, Some(Decimal::new(50, 2)));
    assert_eq!(r.rejected[1].constraint, "cost");
}

#[test]
fn no_offers_and_wild_settings_are_fine() {
    assert_eq!(run(&want(|_| {}), &[]).summary.to_string(), "no offers");
    let want = want(|w| {
        w.prefer = vec![Preference {
            requirement: Requirement::InStock,
            worth: Decimal::MAX,
        }];
    });
    let all = [shelf("a.example", "5 EUR", |_| {})];
    let candidate = Candidate {
        id: "a",
        offer: &all[0].offer,
        landed: all[0].cost.as_ref(),
        shop: "a.example",
        shop_days: None,
        distance_km: None,
        age_days: None,
    };
    let ctx = WantContext {
        spread: f64::NAN,
        risk_aversion: f64::INFINITY,
        regret_tolerance: f64::NAN,
        ..WantContext::new(Currency::EUR, TODAY)
    };
    assert_eq!(for_want(&want, &[candidate], &ctx).ranked.len(), 1);
}

#[test]
fn a_price_cut_wins_in_currencies_without_cents() {
    let want = want(|w| w.prefer = vec!["delivery<=2:600".parse().expect("preference")]);
    let cost = |yen: i64| LandedCost {
        currency: "JPY".parse().expect("a currency"),
        terms: vec![LandedTerm {
            kind: TermKind::Item,
            low: yen.into(),
            mid: yen.into(),
            high: yen.into(),
            certainty: Certainty::Known,
            source: "the price".into(),
        }],
    };
    let offer = |d: u32| {
        let mut offer = Offer {
            shipping: Some(Shipping::default()),
            ..Offer::default()
        };
        days(d)(&mut offer);
        offer
    };
    let (slow, fast) = (offer(5), offer(2));
    let rank = |slow_cost: i64| {
        let (a, b) = (cost(slow_cost), cost(10_400));
        let candidate = |id, offer, landed| Candidate {
            id,
            offer,
            landed: Ok(landed),
            shop: id,
            shop_days: None,
            distance_km: None,
            age_days: None,
        };
        let all = [candidate("slow", &slow, &a), candidate("fast", &fast, &b)];
        let home = a.currency;
        for_want(&want, &all, &WantContext::new(home, TODAY))
    };
    let r = rank(10_000);
    assert_eq!(order_of(&r), ["fast", "slow"]);
    let cut = r.shortlist[1].price_cut.map(|m| m.to_string());
    assert_eq!(cut.as_deref(), Some("201 JPY"));
    assert_eq!(order_of(&rank(10_000 - 201)), ["slow", "fast"]);
}

#[test]
fn what_nobody_says_is_not_told_as_missed_or_as_the_persons_word() {
    let want = want(|w| w.prefer = vec!["brand=Bosch:6".parse().expect("preference")]);
    let bosch = |o: &mut Offer| o.brand = Some("Bosch".to_owned());
    let all = [
        shelf("bosch.example", "100.00 EUR", bosch),
        shelf("silent.example", "98.00 EUR", |_| {}),
    ];
    let r = run(&want, &all);
    assert_eq!(order_of(&r), ["bosch.example", "silent.example"]);
    assert_eq!(
        r.shortlist[1].against_first.to_string(),
        "costs 2.00 EUR less than bosch.example, but nobody says whether it is made by Bosch, counted as 3.00 EUR"
    );
    let all = [
        shelf("bosch.example", "100.00 EUR", bosch),
        shelf("silent.example", "96.00 EUR", |_| {}),
    ];
    let r = run(&want, &all);
    assert_eq!(order_of(&r), ["silent.example", "bosch.example"]);
    assert_eq!(
        r.shortlist[1].against_first.to_string(),
        "costs 4.00 EUR more than silent.example, but nobody says whether silent.example is made by Bosch, counted as 3.00 EUR"
    );
    let summary = r.summary.to_string();
    assert_eq!(summary, "silent.example is first: 96.00 EUR", "it is sure");
}
