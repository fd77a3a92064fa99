use super::*;
use crate::model::offer::{Provenance, Shipping};
use jiff::civil::date;
use proptest::prelude::*;

fn money(s: &str) -> Money {
    s.parse().expect("test money")
}

fn dec(s: &str) -> Decimal {
    s.parse().expect("test decimal")
}

fn offer(price: &str) -> Offer {
    Offer {
        price: Some(money(price)),
        ..Offer::default()
    }
}

fn shipped(price: &str, cost: &str) -> Offer {
    Offer {
        shipping: Some(Shipping {
            cost: Some(money(cost)),
            ..Shipping::default()
        }),
        ..offer(price)
    }
}

fn rates() -> Vec<FxRate> {
    vec![FxRate {
        base: Currency::EUR,
        quote: "CHF".parse().expect("currency"),
        rate: dec("0.96"),
        day: date(2026, 3, 4),
        source: "ECB".to_owned(),
    }]
}

fn cost(
    offer: &Offer,
    rule: &DeliveryRule,
    change: impl FnOnce(&mut LandedContext<'_>),
) -> Result<LandedCost, LandedError> {
    adjusted(offer, rule, &[], change)
}

fn adjusted(
    offer: &Offer,
    rule: &DeliveryRule,
    adjustments: &[Adjustment],
    change: impl FnOnce(&mut LandedContext<'_>),
) -> Result<LandedCost, LandedError> {
    let (rates, prior) = (rates(), DeliveryPrior::default());
    let mut ctx = LandedContext::new(Currency::EUR, &rates, &prior, date(2026, 3, 5));
    ctx.adjustments = adjustments;
    change(&mut ctx);
    landed(offer, rule, &ctx)
}

fn term(c: &LandedCost, kind: TermKind) -> LandedTerm {
    c.terms
        .iter()
        .find(|t| t.kind == kind)
        .cloned()
        .expect("term")
}

#[test]
fn a_dear_offer_with_free_delivery_can_lose_to_a_cheap_one_with_a_fee() {
    let rule = DeliveryRule::default();
    let a = cost(&shipped("34.99 EUR", "9.99 EUR"), &rule, |_| {}).expect("a");
    let b = cost(&shipped("49.99 EUR", "0 EUR"), &rule, |_| {}).expect("b");
    assert_eq!(a.mid(), money("44.98 EUR"));
    assert!(a.high().amount < b.low().amount);
    assert_eq!(a.certainty(), Certainty::Known);
}

#[test]
fn unknown_delivery_is_a_range_and_never_free() {
    let c = cost(&offer("20.00 EUR"), &DeliveryRule::default(), |_| {}).expect("cost");
    let d = term(&c, TermKind::Delivery);
    assert_eq!(d.certainty, Certainty::Unknown);
    assert_eq!((d.low, d.high), (Decimal::ZERO, dec("9.90")));
    assert_eq!(d.mid, dec("4.92")); // (0 + 4 x 4.90 + 9.90) / 6 = 4.9167
    let negative = cost(
        &shipped("20 EUR", "-5 EUR"),
        &DeliveryRule::default(),
        |_| {},
    );
    assert_eq!(
        negative.expect("cost").certainty(),
        Certainty::Unknown,
        "a negative fee is a fault, not a gift"
    );
}

#[test]
fn the_shops_rule_fills_in_and_its_threshold_counts_all_pieces() {
    let rule = DeliveryRule {
        fee: Some(money("4.95 EUR")),
        free_from: Some(money("50 EUR")),
        ..DeliveryRule::default()
    };
    let one = cost(&offer("20.00 EUR"), &rule, |_| {}).expect("cost");
    assert_eq!(one.mid(), money("24.95 EUR"));
    assert_eq!(one.certainty(), Certainty::Assumed);
    let three = cost(&offer("20.00 EUR"), &rule, |c| c.quantity = 3).expect("cost");
    assert_eq!(three.mid(), money("60.00 EUR"));
    // The offer's own word beats the rule for one piece, and widens it for several.
    let dear = shipped("60.00 EUR", "3.00 EUR");
    let one = cost(&dear, &rule, |_| {}).expect("cost");
    assert_eq!(
        (one.mid(), one.certainty()),
        (money("63.00 EUR"), Certainty::Known)
    );
    let two = cost(&dear, &rule, |c| c.quantity = 2).expect("cost");
    assert_eq!(
        (two.low(), two.high()),
        (money("120 EUR"), money("123 EUR"))
    );
}

#[test]
fn foreign_money_is_converted_with_a_dated_range() {
    let c = cost(
        &shipped("96.00 CHF", "9.60 CHF"),
        &DeliveryRule::default(),
        |c| {
            c.exchange_fee = dec("0.01");
        },
    )
    .expect("cost");
    assert_eq!(term(&c, TermKind::Item).mid, dec("100.00"));
    assert_eq!(term(&c, TermKind::Delivery).mid, dec("10.00"));
    let x = term(&c, TermKind::Exchange);
    // One day old: 0.70 % either way around a fee of 1 % of 110 EUR.
    assert_eq!(
        (x.low, x.mid, x.high),
        (dec("0.33"), dec("1.10"), dec("1.87"))
    );
    assert!(
        term(&c, TermKind::Item)
            .source
            .to_string()
            .contains("ECB of 2026-03-04")
    );
}

#[test]
fn no_or_old_rates_abstain() {
    let rule = DeliveryRule::default();
    assert!(matches!(
        cost(&offer("9 JPY"), &rule, |_| {}),
        Err(LandedError::NoRate(..))
    ));
    assert!(matches!(
        cost(&offer("9 CHF"), &rule, |c| c.today = date(2026, 4, 30)),
        Err(LandedError::StaleRate { .. })
    ));
}

#[test]
fn what_is_no_price_has_no_cost() {
    let rule = DeliveryRule::default();
    assert_eq!(
        cost(&Offer::default(), &rule, |_| {}),
        Err(LandedError::NoPrice)
    );
    assert!(matches!(
        cost(&offer("0 EUR"), &rule, |_| {}),
        Err(LandedError::NotPositive(_))
    ));
    assert_eq!(
        cost(&offer("5 EUR"), &rule, |c| c.quantity = 0),
        Err(LandedError::NoQuantity)
    );
    assert_eq!(
        cost(&offer("79228162514264337593543950335 EUR"), &rule, |c| {
            c.quantity = u32::MAX;
        }),
        Err(LandedError::TooLarge)
    );
    let mut quote = offer("5 EUR");
    quote.valid_through = Some("2026-03-04T12:00:00Z".to_owned());
    assert!(cost(&quote, &rule, |_| {}).is_ok());
    quote.provenance = vec![Provenance {
        extractor: Extractor::Quote,
        place: "reply".to_owned(),
    }];
    assert_eq!(
        cost(&quote, &rule, |_| {}),
        Err(LandedError::Expired(date(2026, 3, 4)))
    );
}

#[test]
fn further_terms_raise_and_lower_but_discounts_end_at_the_price() {
    let a = |kind, amount, certainty| Adjustment {
        kind,
        amount,
        certainty,
        source: "test".into(),
    };
    let list = [
        a(
            TermKind::Deposit,
            Amount::PerPiece(money("0.25 EUR")),
            Certainty::Known,
        ),
        a(
            TermKind::Fee,
            Amount::PerOrder(money("1.50 EUR")),
            Certainty::Known,
        ),
        a(
            TermKind::Loyalty,
            Amount::Fraction(dec("0.1")),
            Certainty::Unknown,
        ),
        a(
            TermKind::Coupon,
            Amount::PerOrder(money("500 EUR")),
            Certainty::Known,
        ),
    ];
    let plain = DeliveryRule::default();
    let c = adjusted(&shipped("10 EUR", "3 EUR"), &plain, &list, |c| {
        c.quantity = 4;
    })
    .expect("cost");
    assert_eq!(term(&c, TermKind::Deposit).mid, dec("1.00"));
    let loyalty = term(&c, TermKind::Loyalty);
    assert_eq!(
        (loyalty.low, loyalty.mid, loyalty.high),
        (dec("-4.00"), dec("-2.00"), dec("0.00"))
    );
    assert_eq!(term(&c, TermKind::Coupon).mid, dec("-36.00"));
    assert_eq!(c.low(), money("5.50 EUR"));
}

#[test]
fn a_least_order_widens_the_cost_of_a_small_one() {
    let rule = DeliveryRule {
        min_order: Some(money("25 EUR")),
        ..DeliveryRule::default()
    };
    let c = cost(&shipped("10 EUR", "3 EUR"), &rule, |_| {}).expect("cost");
    assert_eq!(
        (c.low(), c.mid(), c.high()),
        (money("13 EUR"), money("13 EUR"), money("28 EUR"))
    );
}

proptest! {
    #[test]
    fn ranges_are_ordered_in_cents_and_grow_with_the_price(
        minor in 1_i64..10_000_000_000,
        more in 1_i64..1_000_000,
        quantity in 1_u32..10_000,
        shipping in proptest::option::of(0_i64..100_000),
        foreign in any::<bool>(),
    ) {
        let currency = if foreign { "CHF".parse().expect("currency") } else { Currency::EUR };
        let at = |minor| {
            let o = Offer {
                price: Some(Money::from_minor(minor, currency)),
                shipping: shipping.map(|s| Shipping {
                    cost: Some(Money::from_minor(s, currency)),
                    ..Shipping::default()
                }),
                ..Offer::default()
            };
            cost(&o, &DeliveryRule::default(), |c| c.quantity = quantity).expect("cost")
        };
        let c = at(minor);
        for t in &c.terms {
            prop_assert!(t.low <= t.mid && t.mid <= t.high);
            for x in [t.low, t.mid, t.high] {
                prop_assert_eq!(x, x.round_dp(2));
            }
        }
        let sum: Decimal = c.terms.iter().map(|t| t.mid).sum();
        prop_assert_eq!(sum, c.mid().amount);
        let dearer = at(minor + more);
        prop_assert!(dearer.mid().amount >= c.mid().amount);
        prop_assert!(dearer.low().amount >= c.low().amount);
    }
}
