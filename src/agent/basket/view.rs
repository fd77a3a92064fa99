//! What the person sees of a plan.

use super::problem::{self, Problem};
use crate::agent::api::ApiError;
use crate::agent::api::types::{
    BundleView, CartLine, CartView, CouponThreshold, CouponView, Covered, LimitView, NotBought,
    SplitView, ThresholdView, TripView, WorstView,
};
use crate::agent::store::Store;
use crate::agent::view::{self, Market};
use crate::engine::basket::explain::{self, Cart};
use crate::engine::basket::{
    BasketError, Cents, Evaluation, Household, Instance, Mode, Purchase, Solution, Solved,
    evaluate, solve,
};
use crate::model::want::WantStatus;
use crate::model::{Currency, Money, sentence};

/// What a plan was not compared with, because the time was over first.
#[derive(Debug, Default)]
pub struct Uncompared(Vec<&'static str>);

impl Uncompared {
    /// The answer of a comparison, else notes what it would have been about.
    fn keep<T: Default>(&mut self, what: &'static str, found: Result<T, BasketError>) -> T {
        found.unwrap_or_else(|e| {
            if !matches!(e, BasketError::Stopped) {
                tracing::warn!("a basket was not compared with {what}: {e}");
            }
            self.note(what);
            T::default()
        })
    }

    fn note(&mut self, what: &'static str) {
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }

    /// What the person should know, if anything was left out.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let what = self.0.join(", ");
        (!what.is_empty()).then(|| {
            format!(
                "the time was over before this was compared with {what}; --limit-ms gives it more"
            )
        })
    }
}

/// Splits shown at most.
const MAX_SPLITS: usize = 8;

/// What a solution buys.
pub fn bought(solved: &Solved) -> &Purchase {
    static NOTHING: Purchase = Purchase {
        buy: std::collections::BTreeMap::new(),
        mode: std::collections::BTreeMap::new(),
        coupons: Vec::new(),
    };
    match &solved.solution {
        Solution::Household(purchase) => purchase,
        Solution::Classic { .. } => &NOTHING,
    }
}

/// The cost of a purchase, counted independently of the search.
pub fn check_again(household: &Household, purchase: &Purchase) -> Result<Evaluation, ApiError> {
    let instance = Instance::Household(household.clone());
    evaluate(&instance, &Solution::Household(purchase.clone())).map_err(|errors| {
        ApiError::failed(format!("the plan does not check: {}", errors.join("; ")))
    })
}

/// The shops of a plan.
fn at(problem: &Problem, solved: &Solved) -> Vec<String> {
    explain::carts(&problem.household, bought(solved))
        .into_iter()
        .map(|cart| cart.shop)
        .collect()
}

/// A plan shop by shop.
pub fn carts(
    store: &Store,
    market: &Market,
    problem: &Problem,
    purchase: &Purchase,
    nobody: &[NotBought],
) -> Result<Vec<CartView>, ApiError> {
    let spare = spare_wants(store, market, problem, nobody)?;
    let worst = explain::carts(&problem.worst(), purchase);
    let carts = explain::carts(&problem.household, purchase);
    carts
        .iter()
        .zip(&worst)
        .map(|(cart, worst)| {
            let terms = problem.terms(&cart.shop);
            if terms.fetch_only && cart.mode == Mode::Ship {
                return Err(ApiError::failed(format!(
                    "the plan has {} send what must be fetched; please report it",
                    cart.shop
                )));
            }
            Ok(cart_view(market, problem, cart, worst.fee, &spare))
        })
        .collect()
}

fn cart_view(
    market: &Market,
    problem: &Problem,
    cart: &Cart,
    worst_fee: Cents,
    spare: &[Spare],
) -> CartView {
    let home = market.home();
    let money = |cents| Money::from_minor(cents, home);
    let terms = problem.terms(&cart.shop);
    let fetched = cart.mode == Mode::Pickup;
    let add = |missing| {
        spare
            .iter()
            .filter(|s| s.shop == cart.shop && s.price >= missing)
            .min_by_key(|s| s.price)
            .map(|s| market.say(sentence!(&s.name, " for ", money(s.price))))
    };
    CartView {
        shop: cart.shop.clone(),
        fetched,
        lines: cart
            .lines
            .iter()
            .filter_map(|(id, quantity, total)| line(problem, id, *quantity, *total, home))
            .collect(),
        goods: money(cart.goods),
        coupons: cart
            .coupons
            .iter()
            .map(|(id, saves)| CouponView {
                code: problem.code(id).to_owned(),
                saves: money(*saves),
            })
            .collect(),
        delivery: money(cart.fee),
        delivery_high: money(worst_fee.max(cart.fee)),
        delivery_source: match fetched {
            true => "as you noted".to_owned(),
            false => market.say(&terms.source),
        },
        trip: fetched.then(|| TripView {
            cost: money(cart.travel),
            source: market.say(terms.trip.clone().unwrap_or_default()),
        }),
        pay: money(cart.payable()),
        next: cart.next_tier.map(|(missing, saves)| ThresholdView {
            missing: money(missing),
            saves: money(saves),
            add: add(missing),
        }),
        next_coupon: cart
            .next_coupon
            .as_ref()
            .map(|(id, missing, saves)| CouponThreshold {
                code: problem.code(id).to_owned(),
                missing: money(*missing),
                saves: money(*saves),
                add: problem.is_for_all(id).then(|| add(*missing)).flatten(),
            }),
    }
}

fn line(
    problem: &Problem,
    id: &str,
    quantity: i64,
    total: Cents,
    home: Currency,
) -> Option<CartLine> {
    let offer = problem.offer(id)?;
    let covers: Vec<Covered> = offer
        .covers
        .iter()
        .map(|(entry, units)| {
            let want = &problem.entries[*entry].want;
            let per_piece = problem.units_per_piece(*entry);
            Covered {
                want: want.id.short(),
                name: want.name.clone(),
                packs: (*units != per_piece).then(|| share(*units, per_piece)),
                pieces: want.quantity,
            }
        })
        .collect();
    let first = covers.first()?;
    let names: Vec<String> = match offer.covers {
        [_] => vec![first.name.clone()],
        many => many
            .iter()
            .zip(&covers)
            .map(
                |((entry, units), c)| match units / problem.units_per_piece(*entry) {
                    0 | 1 => c.name.clone(),
                    n => format!("{n} x {}", c.name),
                },
            )
            .collect(),
    };
    let price = total.checked_div(quantity).unwrap_or(total);
    Some(CartLine {
        want: first.want.clone(),
        name: names.join(" + "),
        offer: offer.id,
        title: offer.title,
        url: offer.url,
        quantity,
        price: Money::from_minor(price, home),
        total: Money::from_minor(total, home),
        packs: match (&covers[..], &first.packs) {
            ([one], Some(share)) => Some(format!(
                "for {} x {}: one of these makes {share}",
                one.pieces, one.name
            )),
            _ => None,
        },
        covers,
    })
}

/// A ratio of pack sizes for a person: `1/2`, `2`, `3/4`.
fn share(units: i64, per_piece: i64) -> String {
    if units % per_piece == 0 {
        (units / per_piece).to_string()
    } else {
        format!("{units}/{per_piece}")
    }
}

/// Something else the person wants that a shop of the plan sells.
struct Spare {
    shop: String,
    name: String,
    price: Cents,
}

/// Open wants outside the list, by shop.
fn spare_wants(
    store: &Store,
    market: &Market,
    problem: &Problem,
    nobody: &[NotBought],
) -> Result<Vec<Spare>, ApiError> {
    let mut spare = Vec::new();
    for want in store.wants()? {
        let listed = problem.entries.iter().any(|e| e.want.id == want.id)
            || nobody.iter().any(|n| n.want == want.id.short());
        if listed || want.status != WantStatus::Open {
            continue;
        }
        let (offers, _) = view::buyable(store, market, &want)?;
        spare.extend(offers.iter().filter_map(|o| {
            Some(Spare {
                shop: o.shop.clone(),
                name: format!("{} (list {})", want.name, want.list),
                price: problem::goods(market, &o.offer)?.0,
            })
        }));
    }
    Ok(spare)
}

/// What everything costs at the shop with the lowest price for it, with the coupons that
/// help there.
pub fn cheapest_each(problem: &Problem) -> Option<Cents> {
    let household = &problem.household;
    let mut purchase = problem.cheapest_each()?;
    let mut pay = check_again(household, &purchase).ok()?.payable;
    for coupon in &household.coupons {
        purchase.coupons.push(coupon.id.clone());
        match check_again(household, &purchase) {
            Ok(checked) if checked.payable < pay => pay = checked.payable,
            _ => drop(purchase.coupons.pop()),
        }
    }
    Some(pay)
}

/// The plan with everything unknown at its worst, and the better one then.
pub fn worst(
    market: &Market,
    problem: &Problem,
    purchase: &Purchase,
    uncompared: &mut Uncompared,
    stop: &mut dyn FnMut() -> bool,
) -> Option<WorstView> {
    let home = market.home();
    let unknown = problem.unknowns(market, purchase);
    if unknown.is_empty() {
        return None;
    }
    let mut dear = problem.worst();
    // What breaks the budget is told by its sum, not refused.
    dear.limits.budget = None;
    let then = check_again(&dear, purchase).ok()?;
    let money = |cents| Money::from_minor(cents, home);
    let best = solve(&Instance::Household(dear), stop).map(Some);
    let better = uncompared
        .keep("the best plan at the worst prices", best)
        .filter(|s| s.evaluation.cost < then.cost);
    let out = |purchase| problem.left_out(market, purchase).into_iter();
    let mut without: Vec<String> = better
        .as_ref()
        .map_or_else(Vec::new, |s| out(bought(s)).map(|w| w.name).collect());
    without.retain(|name| !out(purchase).any(|w| w.name == *name));
    Some(WorstView {
        unknown,
        instead_without: without,
        pay: money(then.payable),
        instead: better.as_ref().map(|s| at(problem, s)).unwrap_or_default(),
        instead_pay: better.map(|s| money(s.evaluation.payable)),
    })
}

/// The best plan for each number of shops up to the `shops` of the best of all, and what
/// each further shop saves.
pub fn splits(
    market: &Market,
    problem: &Problem,
    best: &Solved,
    shops: usize,
    uncompared: &mut Uncompared,
    stop: &mut dyn FnMut() -> bool,
) -> Vec<SplitView> {
    let money = |cents| Money::from_minor(cents, market.home());
    let most = shops.clamp(1, MAX_SPLITS);
    let mut views: Vec<SplitView> = Vec::new();
    for split in explain::splits(&problem.household, best, shops, most, stop) {
        let what = match views.len() {
            0 => "one shop and other numbers of shops",
            _ => "further shops",
        };
        let Some(s) = uncompared.keep(what, split.map(Some)) else {
            continue;
        };
        let missing = match &s.plan {
            Some(plan) => {
                let out = problem.left_out(market, bought(plan));
                out.into_iter().map(|w| w.name).collect()
            }
            None if s.shops == 1 => problem.missing_at_best_shop(),
            None => Vec::new(),
        };
        // What buys more does not save, whatever that is worth.
        let alike = views.last().is_none_or(|before| before.missing == missing);
        views.push(SplitView {
            shops: s.shops,
            at: s.plan.as_ref().map(|p| at(problem, p)).unwrap_or_default(),
            pay: s.plan.as_ref().map(|p| money(p.evaluation.payable)),
            saving: s.saving.filter(|_| alike).map(money),
            proven: s.plan.as_ref().is_some_and(|p| p.optimal),
            missing,
        });
    }
    views
}

/// Each bundle of a plan against buying its parts by themselves.
pub fn bundles(
    problem: &Problem,
    purchase: &Purchase,
    cost: Cents,
    home: Currency,
    uncompared: &mut Uncompared,
    stop: &mut dyn FnMut() -> bool,
) -> Vec<BundleView> {
    let money = |cents| Money::from_minor(cents, home);
    let name = |id: &String| Some(problem.want_of(id)?.name.clone());
    let what = "plans without its bundles";
    let found = explain::bundles(&problem.household, purchase, cost, stop);
    let found = uncompared.keep(what, found);
    let bundled = |id: &&String| problem.offer(id).is_some_and(|o| o.covers.len() > 1);
    if found.len() < purchase.buy.keys().filter(bundled).count() {
        uncompared.note(what);
    }
    found
        .into_iter()
        .filter_map(|bundle| {
            let offer = problem.offer(&bundle.offer)?;
            Some(BundleView {
                name: offer.title.unwrap_or_default(),
                offer: offer.id,
                price: money(bundle.price),
                saves: bundle.saves.map(money),
                anyway: bundle.bought_anyway.iter().filter_map(name).collect(),
                apart: money(bundle.apart),
                only_here: bundle.only_here.iter().filter_map(name).collect(),
            })
        })
        .collect()
}

/// What keeping each limit of the person costs.
pub fn limits(
    household: &Household,
    cost: Cents,
    home: Currency,
    uncompared: &mut Uncompared,
    stop: &mut dyn FnMut() -> bool,
) -> Vec<LimitView> {
    let what = "plans without your limits";
    let prices = uncompared.keep(what, explain::limit_prices(household, cost, stop));
    if prices.iter().any(|p| p.saving.is_none()) {
        uncompared.note(what);
    }
    prices
        .into_iter()
        .map(|l| LimitView {
            limit: l.limit.to_owned(),
            saving: l.saving.map(|s| Money::from_minor(s, home)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_compared_is_told_once() {
        let mut late = Uncompared::default();
        assert_eq!(late.keep("fewer shops", Ok(vec![1])), [1]);
        assert_eq!(late.words(), None);
        let nothing: Vec<i32> = late.keep("fewer shops", Err(BasketError::Stopped));
        assert!(nothing.is_empty());
        late.note("fewer shops");
        late.note("plans without your limits");
        let words = late.words().expect("something was left out");
        assert!(
            words.contains("compared with fewer shops, plans without your limits;"),
            "{words}"
        );
    }
}
