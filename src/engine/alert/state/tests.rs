use super::*;
use proptest::prelude::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + hours * 3600).expect("in range")
}

fn eur(minor: i64) -> Option<Money> {
    Some(Money::from_minor(minor, Currency::EUR))
}

fn seen(hours: i64, cost: Option<Money>) -> Seen {
    Seen {
        at: at(hours),
        cost,
        availability: Availability::InStock,
        known: true,
    }
}

fn stock(hours: i64, availability: Availability) -> Seen {
    Seen {
        availability,
        ..seen(hours, eur(1000))
    }
}

fn rule(text: &str) -> AlertRule {
    text.parse().expect(text)
}

/// Feeds daily prices and returns the days that fired.
fn daily(rule_text: &str, cents: &[i64]) -> Vec<usize> {
    let mut state = AlertState::default();
    let rule = rule(rule_text);
    let mut fired = Vec::new();
    for (day, &minor) in cents.iter().enumerate() {
        let hours = 24 * i64::try_from(day).expect("small");
        let decision = state.observe(&rule, &seen(hours, eur(minor)), &Tuning::default());
        if decision.fire().is_some() {
            fired.push(day);
        }
    }
    fired
}

#[test]
fn fires_on_the_first_observation_that_meets_the_rule() {
    assert_eq!(daily("under 250 EUR", &[24_900, 24_900]), [0]);
    let mut state = AlertState::default();
    let first = state.observe(
        &rule("back in stock"),
        &stock(0, Availability::InStock),
        &Tuning::default(),
    );
    assert!(first.fire().is_some());
}

#[test]
fn better_is_judged_by_the_offers_own_history() {
    let prices: Vec<i64> = [(1000, 60), (800, 7), (1000, 30)]
        .into_iter()
        .flat_map(|(price, days)| std::iter::repeat_n(price, days))
        .collect();
    assert_eq!(daily("better", &prices), [60]);

    let rule = rule("better");
    let mut state = AlertState::default();
    let look = |state: &mut AlertState, day: i64, minor| {
        state.observe(&rule, &seen(24 * day, eur(minor)), &Tuning::default())
    };
    for day in 0..40 {
        let Decision::Hold(hold) = look(&mut state, day, 1000) else {
            panic!("a steady price is no news");
        };
        assert_eq!(
            matches!(hold, Hold::ShortHistory { .. }),
            day < 30,
            "{hold:?}"
        );
    }
    let fire = look(&mut state, 40, 700);
    assert!(fire.fire().is_some(), "{fire:?}");
    assert!(look(&mut state, 41, 700).fire().is_none(), "told already");
    state.rearm();
    assert!(
        look(&mut state, 42, 700).fire().is_some(),
        "it was not passed on"
    );
    let json = serde_json::to_string(&state).expect("serialise");
    assert!(json.len() <= 2048, "{} bytes", json.len());
}

#[test]
fn the_same_price_again_is_no_news_but_a_clearly_lower_one_is() {
    let days = daily("under 250 EUR", &[24_900, 24_900, 24_800, 24_402, 24_402]);
    assert_eq!(days, [0, 3], "24402 is 2 % lower than 24900, 24800 is not");
}

#[test]
fn crossing_again_after_a_real_rise_fires_again() {
    let cents = [30_000, 24_900, 30_000, 30_000, 30_000, 24_900];
    assert_eq!(daily("under 250 EUR", &cents), [1, 5]);
}

#[test]
fn flip_flop_around_the_limit_fires_once() {
    let near: Vec<i64> = (0..40).map(|d| [24_990, 25_010][d % 2]).collect();
    assert_eq!(daily("under 250 EUR", &near), [0]);
    let wide: Vec<i64> = (0..40).map(|d| [24_000, 26_000][d % 2]).collect();
    assert_eq!(daily("under 250 EUR", &wide), [0]);
}

#[test]
fn a_failed_fetch_moves_nothing() {
    let rule = rule("under 250 EUR");
    let tuning = Tuning::default();
    let mut state = AlertState::default();
    assert!(
        state
            .observe(&rule, &seen(0, eur(24_900)), &tuning)
            .fire()
            .is_some()
    );
    let before = state.clone();
    for hours in 1..200 {
        let failed = Seen {
            known: false,
            availability: Availability::OutOfStock,
            ..seen(hours, None)
        };
        assert_eq!(
            state.observe(&rule, &failed, &tuning),
            Decision::Hold(Hold::NotRead)
        );
    }
    assert_eq!(state, before);
    let again = state.observe(&rule, &seen(201, eur(24_900)), &tuning);
    assert!(matches!(again, Decision::Hold(Hold::AlreadyTold { .. })));
}

#[test]
fn a_giveaway_does_not_poison_the_low() {
    let mut cents = vec![2000; 30];
    cents.extend([0, 2000, 2000, 1, 2000, 1500]);
    // Day 30 is a giveaway, day 33 one cent: neither is a price, and 15.00 is the low.
    assert_eq!(daily("low in 90 days", &cents), [35]);
    assert_eq!(daily("under 5 EUR", &cents), [0usize; 0]);
}

#[test]
fn another_unit_or_currency_is_set_aside_and_believed_only_if_it_stays() {
    let mut cents = vec![2000; 20];
    cents.extend([200, 2000, 20_000, 2000]);
    assert_eq!(daily("under 5 EUR", &cents), [0usize; 0]);
    cents.extend([200; 10]);
    assert_eq!(daily("under 5 EUR", &cents), [31], "after seven days");

    let mut state = AlertState::default();
    let (rule, tuning) = (rule("under 15 EUR"), Tuning::default());
    state.observe(&rule, &seen(0, eur(2000)), &tuning);
    let dollars = "14.00 USD".parse().ok();
    let decision = state.observe(&rule, &seen(24, dollars), &tuning);
    assert!(matches!(
        decision,
        Decision::Hold(Hold::OtherCurrency { .. })
    ));
    let back = state.observe(&rule, &seen(48, eur(1400)), &tuning);
    assert!(back.fire().is_some());
}

#[test]
fn a_limit_in_another_currency_is_not_compared() {
    let mut state = AlertState::default();
    let d = state.observe(
        &rule("under 250 USD"),
        &seen(0, eur(100)),
        &Tuning::default(),
    );
    assert!(matches!(d, Decision::Hold(Hold::LimitCurrency { .. })));
}

#[test]
fn price_rules_wait_until_it_can_be_bought() {
    let (rule, tuning) = (rule("under 15 EUR"), Tuning::default());
    let mut state = AlertState::default();
    for (hours, availability) in [
        (0, Availability::OutOfStock),
        (24, Availability::PreOrder),
        (48, Availability::Discontinued),
    ] {
        let d = state.observe(&rule, &stock(hours, availability), &tuning);
        assert_eq!(d, Decision::Hold(Hold::CannotBuy { availability }));
    }
    let d = state.observe(&rule, &stock(72, Availability::Unknown), &tuning);
    assert!(d.fire().is_some_and(|f| f.stock_unknown));
}

#[test]
fn a_restock_at_the_same_price_fires_and_flapping_is_damped() {
    let (rule, tuning) = (rule("back in stock"), Tuning::default());
    let mut state = AlertState::default();
    let mut ask = |hours, a| state.observe(&rule, &stock(hours, a), &tuning);
    assert!(ask(0, Availability::InStock).fire().is_some());
    assert!(ask(24, Availability::OutOfStock).fire().is_none());
    assert!(ask(25, Availability::Unknown).fire().is_none());
    let again = ask(48, Availability::InStock);
    assert!(matches!(
        again.fire().map(|f| &f.reason),
        Some(Reason::InStock { missing_since: Some(t), .. }) if *t == at(24)
    ));
    // Gone and back within the cooldown: told once it is over, if it is still there.
    assert!(ask(49, Availability::OutOfStock).fire().is_none());
    assert!(matches!(
        ask(50, Availability::InStock),
        Decision::Hold(Hold::Cooldown { .. })
    ));
    assert!(ask(61, Availability::InStock).fire().is_some());
    assert!(ask(62, Availability::InStock).fire().is_none());
}

#[test]
fn slow_drift_fires_in_the_end() {
    // Half a percent a day: no single step is news, the sum is.
    let cents: Vec<i64> = (0..120).map(|d| 100_000 - 500 * d).collect();
    assert!(!daily("15% under usual", &cents).is_empty());
    assert_eq!(daily("under 900 EUR", &cents)[0], 20);
}

#[test]
fn another_unit_is_warned_of_until_it_is_usual_and_another_currency_not_at_all() {
    let told = |prices: &[(i64, Option<Money>)]| -> Vec<bool> {
        let mut state = AlertState::default();
        let look = |(d, cost): &(i64, Option<Money>)| {
            let seen = seen(24 * d, *cost);
            let decision = state.observe(&rule("low in 30 days"), &seen, &Tuning::default());
            decision.fire().map(|f| f.check_unit)
        };
        prices.iter().filter_map(look).collect()
    };
    let mut prices: Vec<(i64, Option<Money>)> = (0..20).map(|d| (d, eur(44_900))).collect();
    prices.extend((20..60).map(|d| (d, eur(4_490))));
    prices.push((60, eur(4_000)));
    prices.extend((61..300).map(|d| (d, eur(4_490))));
    prices.push((300, eur(3_000)));
    assert_eq!(told(&prices), [true, false]);
    let francs = |minor| Some(Money::from_minor(minor, "CHF".parse().expect("a currency")));
    let mut prices: Vec<(i64, Option<Money>)> = (0..20).map(|d| (d, eur(44_900))).collect();
    prices.extend((20..60).map(|d| (d, francs(44_900))));
    prices.push((60, francs(40_000)));
    assert_eq!(told(&prices), [false]);
}

#[test]
fn a_new_low_needs_history_and_a_strictly_lower_price() {
    assert_eq!(daily("low in 90 days", &[1000, 900, 800]), [0usize; 0]);
    let mut cents = vec![1000; 20];
    cents.extend([1000, 900, 900, 1000, 1000, 1000, 900, 880]);
    assert_eq!(daily("low in 90 days", &cents), [21, 27]);
    // What was the low more than N days ago is forgotten.
    let mut cents = vec![800; 5];
    cents.extend([1000; 40]);
    cents.push(900);
    assert_eq!(daily("low in 30 days", &cents), [45]);
    assert_eq!(daily("low in 90 days", &cents), [0usize; 0]);
}

#[test]
fn a_low_seen_during_the_cooldown_is_told_afterwards() {
    let (rule, tuning) = (rule("low in 30 days"), Tuning::default());
    let mut state = AlertState::default();
    for d in 0..20 {
        state.observe(&rule, &seen(24 * d, eur(1000)), &tuning);
    }
    let base: i64 = 24 * 20;
    let mut ask = |hours, minor| state.observe(&rule, &seen(base + hours, eur(minor)), &tuning);
    assert!(ask(0, 900).fire().is_some());
    assert!(matches!(ask(2, 800), Decision::Hold(Hold::Cooldown { .. })));
    assert!(ask(14, 800).fire().is_some());
}

#[test]
fn reminders_repeat_while_the_rule_holds() {
    let tuning = Tuning {
        remind_days: Some(3),
        ..Tuning::default()
    };
    let mut state = AlertState::default();
    let fired: Vec<i64> = (0..8)
        .filter(|d| {
            state
                .observe(&rule("under 10 EUR"), &seen(24 * d, eur(900)), &tuning)
                .fire()
                .is_some()
        })
        .collect();
    assert_eq!(fired, [0, 3, 6]);
}

#[test]
fn the_state_stays_small() {
    let mut state = AlertState::default();
    for d in 0..4000 {
        // Rising and noisy: the worst case for runs and for lows.
        let minor = 100_000_000 + 10_000 * d + (d * 7919) % 9973;
        state.observe(
            &rule("low in 3650 days"),
            &seen(24 * d, eur(minor)),
            &Tuning::default(),
        );
    }
    let json = serde_json::to_string(&state).expect("serialise");
    assert!(json.len() <= 2048, "{} bytes", json.len());
    let back: AlertState = serde_json::from_str(&json).expect("read back");
    assert_eq!(back, state);
}

fn any_seen() -> impl Strategy<Value = (i64, Option<i64>, usize, bool)> {
    (
        0..60i64,
        proptest::option::of(-10..30_000i64),
        0..7usize,
        proptest::bool::weighted(0.9),
    )
}

fn availability(i: usize) -> Availability {
    use Availability::*;
    [
        InStock,
        InStock,
        LimitedAvailability,
        PreOrder,
        OutOfStock,
        Discontinued,
        Unknown,
    ][i]
}

proptest! {
    /// Whatever comes in: alerts only on readable, buyable, positive prices that meet
    /// the limit; never two within the cooldown; feeding again changes nothing.
    #[test]
    fn under_never_fires_wrongly(steps in proptest::collection::vec(any_seen(), 0..200)) {
        let rule = rule("under 100 EUR");
        let tuning = Tuning::default();
        let mut state = AlertState::default();
        let mut clock = 0;
        let mut last: Option<i64> = None;
        for (gap, cents, stock, known) in steps {
            clock += gap;
            let s = Seen {
                at: at(clock),
                cost: cents.and_then(eur),
                availability: availability(stock),
                known,
            };
            if state.observe(&rule, &s, &tuning).fire().is_some() {
                prop_assert!(known && cents.is_some_and(|c| c > 0 && c <= 10_000));
                prop_assert!(s.availability.is_available() || stock == 6);
                prop_assert!(last.is_none_or(|l| clock - l >= 12));
                last = Some(clock);
            }
            let copy = state.clone();
            prop_assert!(state.observe(&rule, &s, &tuning).fire().is_none());
            prop_assert_eq!(&copy, &state);
        }
    }
}
