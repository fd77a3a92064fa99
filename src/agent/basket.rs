//! Where to buy a whole list: from wants and offers to an instance of the basket problem,
//! and from its solution to what the person sees.

mod problem;

use super::api::ApiError;
use super::api::types::{
    BasketReply, BasketRequest, CartLine, CartView, LimitView, NotBought, PlanView, SplitView,
    ThresholdView, WorstView,
};
use super::store::Store;
use super::view::{self, Market};
use crate::engine::basket::explain::{self, Cart};
use crate::engine::basket::{
    BasketError, Cents, Evaluation, Household, Instance, Mode, Purchase, Solution, Solved,
    evaluate, solve,
};
use crate::model::want::{Want, WantKind, WantStatus};
use crate::model::{Currency, Money};
use problem::{Entry, Problem};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the search may take when nobody says.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30);
/// The longest search.
const MAX_LIMIT_MS: u64 = 600_000;
/// The most time for the questions beside the plan: other numbers of shops, the worst case.
const EXPLAIN_LIMIT: Duration = Duration::from_secs(5);
/// Splits shown at most.
const MAX_SPLITS: usize = 8;

/// The searches under way, by the name their request gave.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashMap<String, Arc<AtomicBool>>>);

impl Running {
    /// Asks a search to come back with its best so far; says whether there was one.
    pub fn stop(&self, run: &str) -> bool {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(run).is_some_and(|flag| {
            flag.store(true, Ordering::Relaxed);
            true
        })
    }

    /// Notes a search. It is forgotten, and stopped, when the returned value is dropped:
    /// nobody waits for it any more then.
    pub fn begin(&self, run: Option<String>) -> Stopper<'_> {
        let flag = Arc::new(AtomicBool::new(false));
        if let Some(run) = &run {
            let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            runs.insert(run.clone(), Arc::clone(&flag));
        }
        Stopper {
            running: self,
            run,
            flag,
        }
    }
}

/// Ends a search when dropped.
#[derive(Debug)]
pub struct Stopper<'a> {
    running: &'a Running,
    run: Option<String>,
    flag: Arc<AtomicBool>,
}

impl Stopper<'_> {
    /// True once the search should end.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }
}

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Relaxed);
        if let Some(run) = &self.run {
            let mut runs = self
                .running
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            runs.remove(run);
        }
    }
}

/// Answers a request. Works for seconds: not for the event loop.
///
/// # Errors
/// An unknown list, limits that contradict each other (saying which), amounts without an
/// exchange rate, or as the vault.
pub fn answer(
    store: &Store,
    market: &Market,
    request: &BasketRequest,
    stopped: &AtomicBool,
) -> Result<BasketReply, ApiError> {
    let started = Instant::now();
    let limit = check(request)?;
    let (list, wants) = wanted(store, request.list.as_deref())?;
    let budget = match &request.budget {
        Some(budget) => Some(problem::cents(market, budget).ok_or_else(|| {
            ApiError::invalid(format!(
                "no exchange rate from {} to {}",
                budget.currency,
                market.home()
            ))
        })?),
        None => None,
    };
    let mut entries = Vec::new();
    let mut nobody = Vec::new();
    for want in wants {
        let (offers, out) = view::buyable(store, market, &want)?;
        if offers.is_empty() {
            nobody.push(not_offered(&want, &out));
        } else {
            entries.push(Entry { want, offers });
        }
    }
    let mut problem = Problem::new(market, entries, &mut nobody);
    problem.household.limits.max_shops = request.max_shops;
    problem.household.limits.budget = budget;
    let mut reply = BasketReply {
        list,
        wants: problem.entries.len(),
        plan: None,
        splits: Vec::new(),
        cheapest_each: None,
        worst: None,
        limits: Vec::new(),
        left_out: Vec::new(),
        nobody,
        milliseconds: 0,
    };
    if !problem.entries.is_empty() {
        let deadline = started + limit;
        let mut stop = || stopped.load(Ordering::Relaxed) || Instant::now() >= deadline;
        let instance = Instance::Household(problem.household.clone());
        let solved =
            solve(&instance, &mut stop).map_err(|e| refusal(e, &problem, market.home()))?;
        fill(store, market, &problem, &solved, limit, stopped, &mut reply)?;
    }
    reply.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(reply)
}

/// Refuses what makes no sense; returns how long the search may take.
fn check(request: &BasketRequest) -> Result<Duration, ApiError> {
    if let Some(place) = &request.from {
        return Err(ApiError::invalid(format!(
            "no shop's distance from `{place}` is known, so fetching cannot be priced"
        ))
        .hint("leave --from out: everything is sent then"));
    }
    if request.max_shops == Some(0) {
        return Err(ApiError::invalid("0 shops sell nothing").hint("give --max-shops 1 or more"));
    }
    if request.budget.is_some_and(|b| b.amount.is_sign_negative()) {
        return Err(ApiError::invalid("a budget must not be negative"));
    }
    match request.limit_ms {
        Some(ms) if !(1..=MAX_LIMIT_MS).contains(&ms) => Err(ApiError::invalid(format!(
            "the time limit must be from 1 to {MAX_LIMIT_MS} ms"
        ))),
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Ok(DEFAULT_LIMIT),
    }
}

/// The open wants of a list, or all shopping items.
fn wanted(store: &Store, list: Option<&str>) -> Result<(String, Vec<Want>), ApiError> {
    let mut wants = store.wants()?;
    wants.retain(|w| w.status == WantStatus::Open);
    let mut lists: Vec<String> = wants.iter().map(|w| w.list.clone()).collect();
    lists.sort_unstable();
    lists.dedup();
    let name = list.map_or_else(|| "all shopping lists".to_owned(), str::to_owned);
    wants.retain(|w| match list {
        Some(list) => w.list.eq_ignore_ascii_case(list),
        None => w.kind == WantKind::Shopping,
    });
    if wants.is_empty() {
        let hint = if lists.is_empty() {
            "add something with `emptor list add`".to_owned()
        } else {
            format!("there is something on: {}", lists.join(", "))
        };
        return Err(ApiError::not_found(format!("nothing is open on {name}")).hint(hint));
    }
    Ok((name, wants))
}

fn not_offered(want: &Want, out: &[String]) -> NotBought {
    NotBought {
        want: want.id.short(),
        name: want.name.clone(),
        reason: if out.is_empty() {
            "no offer is known to be it".to_owned()
        } else {
            out.join("; ")
        },
    }
}

/// Says which limits contradict each other.
fn refusal(error: BasketError, problem: &Problem, home: Currency) -> ApiError {
    let BasketError::Infeasible(_) = error else {
        return match error {
            BasketError::Stopped => ApiError::conflict("stopped before any plan was found")
                .hint("give it more time with --limit-ms"),
            other => ApiError::failed(other.to_string()),
        };
    };
    let deadline = Instant::now() + EXPLAIN_LIMIT;
    let mut stop = || Instant::now() >= deadline;
    let limits = problem.household.limits;
    let mut without = |budget: bool, shops: bool| {
        let mut h = problem.household.clone();
        h.limits.budget = limits.budget.filter(|_| !budget);
        h.limits.max_shops = limits.max_shops.filter(|_| !shops);
        solve(&Instance::Household(h), &mut stop).ok()
    };
    let money = |cents| Money::from_minor(cents, home);
    if let (Some(budget), Some(plan)) = (limits.budget, without(true, false)) {
        let (pay, budget) = (money(plan.evaluation.payable), money(budget));
        return ApiError::conflict(format!("the list costs {pay}, the budget is {budget}"))
            .hint("raise the budget or take something off the list");
    }
    if let (Some(max), Some(plan)) = (limits.max_shops, without(false, true)) {
        let shops = at(problem, &plan).len();
        let few = match max {
            1 => "not one shop offers".to_owned(),
            n => format!("no {n} shops offer"),
        };
        return ApiError::conflict(format!(
            "{few} the whole list; {shops} do, for {}",
            money(plan.evaluation.payable)
        ))
        .hint("allow more shops or take something off the list");
    }
    if let (Some(budget), Some(max), Some(plan)) =
        (limits.budget, limits.max_shops, without(true, true))
    {
        return ApiError::conflict(format!(
            "--max-shops {max} and the budget of {} are both too little: the list takes {} shops and {}",
            money(budget),
            at(problem, &plan).len(),
            money(plan.evaluation.payable)
        ))
        .hint("raise both or take something off the list");
    }
    ApiError::conflict("the list stays under what the shops that offer it take as an order")
        .hint("put more on the list, or follow more shops")
}

/// Tells the plan and what else was possible.
fn fill(
    store: &Store,
    market: &Market,
    problem: &Problem,
    solved: &Solved,
    limit: Duration,
    stopped: &AtomicBool,
    reply: &mut BasketReply,
) -> Result<(), ApiError> {
    let home = market.home();
    let money = |cents| Money::from_minor(cents, home);
    let household = &problem.household;
    let purchase = bought(solved);
    // Once more, and not by the solver: nothing unchecked is shown.
    let checked = check_again(household, purchase)?;
    if checked != solved.evaluation {
        return Err(ApiError::failed(
            "the plan does not check; please report it",
        ));
    }
    let carts = explain::carts(household, purchase);
    let spare = spare_wants(store, market, problem, reply)?;
    let views: Vec<CartView> = carts
        .iter()
        .map(|cart| cart_view(problem, cart, &spare, home))
        .collect();
    let gap = (checked.cost - solved.bound) as f64 / checked.cost.max(1) as f64;
    reply.plan = Some(PlanView {
        shops: views,
        pay: money(checked.payable),
        cost: money(checked.cost),
        bound: money(solved.bound),
        proven: solved.optimal,
        gap_percent: (gap * 10_000.0).ceil() / 100.0,
    });
    reply.left_out = problem.left_out(purchase);
    reply.cheapest_each = problem
        .cheapest_each()
        .and_then(|p| check_again(household, &p).ok())
        .map(|e| money(e.payable));

    let deadline = Instant::now() + limit.min(EXPLAIN_LIMIT);
    let mut stop = || stopped.load(Ordering::Relaxed) || Instant::now() >= deadline;
    reply.worst = worst(problem, purchase, home, &mut stop);
    reply.splits = splits(problem, carts.len(), home, &mut stop);
    let limits = explain::limit_prices(household, checked.cost, &mut stop);
    reply.limits = limits
        .unwrap_or_default()
        .into_iter()
        .map(|l| LimitView {
            limit: l.limit.to_owned(),
            saving: l.saving.map(money),
        })
        .collect();
    Ok(())
}

fn bought(solved: &Solved) -> &Purchase {
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

fn check_again(household: &Household, purchase: &Purchase) -> Result<Evaluation, ApiError> {
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

fn cart_view(problem: &Problem, cart: &Cart, spare: &[Spare], home: Currency) -> CartView {
    let money = |cents| Money::from_minor(cents, home);
    let terms = problem.terms(&cart.shop);
    let fee = if cart.mode == Mode::Ship {
        terms.fee_at(cart.goods)
    } else {
        0
    };
    CartView {
        shop: cart.shop.clone(),
        lines: cart
            .lines
            .iter()
            .filter_map(|(id, quantity, total)| line(problem, id, *quantity, *total, home))
            .collect(),
        goods: money(cart.goods),
        delivery: money(fee),
        delivery_high: money(terms.worst_fee_at(cart.goods)),
        delivery_source: terms.source.clone(),
        pay: money(cart.goods + fee),
        next: cart.next_tier.map(|(missing, saves)| ThresholdView {
            missing: money(missing),
            saves: money(saves),
            add: spare
                .iter()
                .filter(|s| s.shop == cart.shop && s.price >= missing)
                .min_by_key(|s| s.price)
                .map(|s| format!("{} for {}", s.name, money(s.price))),
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
    let (entry, offer, units) = problem.offer(id)?;
    let per_piece = problem.units_per_piece(entry);
    let want = &problem.entries[entry].want;
    let price = total.checked_div(quantity).unwrap_or(total);
    Some(CartLine {
        want: want.id.short(),
        name: want.name.clone(),
        offer: offer.id.clone(),
        title: offer.offer.name.clone(),
        url: offer.url.clone(),
        quantity,
        price: Money::from_minor(price, home),
        total: Money::from_minor(total, home),
        packs: (units != per_piece).then(|| {
            format!(
                "{quantity} packs for {} x what is wanted: one pack holds {} of it",
                want.quantity,
                share(units, per_piece)
            )
        }),
    })
}

/// A ratio of pack sizes for a person: `1/2`, `2`, `3/4`.
fn share(units: i64, per_piece: i64) -> String {
    if units % per_piece == 0 {
        format!("{} times", units / per_piece)
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
    reply: &BasketReply,
) -> Result<Vec<Spare>, ApiError> {
    let mut spare = Vec::new();
    for want in store.wants()? {
        let listed = problem.entries.iter().any(|e| e.want.id == want.id)
            || reply.nobody.iter().any(|n| n.want == want.id.short());
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

/// The plan with everything unknown at its worst, and the better one then.
fn worst(
    problem: &Problem,
    purchase: &Purchase,
    home: Currency,
    stop: &mut dyn FnMut() -> bool,
) -> Option<WorstView> {
    let unknown = problem.unknowns(purchase, home);
    if unknown.is_empty() {
        return None;
    }
    let mut dear = problem.worst();
    // What breaks the budget is told by its sum, not refused.
    dear.limits.budget = None;
    let then = check_again(&dear, purchase).ok()?;
    let money = |cents| Money::from_minor(cents, home);
    let better = solve(&Instance::Household(dear), stop)
        .ok()
        .filter(|s| s.evaluation.cost < then.cost);
    Some(WorstView {
        unknown,
        pay: money(then.payable),
        instead: better.as_ref().map(|s| at(problem, s)).unwrap_or_default(),
        instead_pay: better.map(|s| money(s.evaluation.payable)),
    })
}

fn splits(
    problem: &Problem,
    shops: usize,
    home: Currency,
    stop: &mut dyn FnMut() -> bool,
) -> Vec<SplitView> {
    let money = |cents| Money::from_minor(cents, home);
    let most = shops.clamp(1, MAX_SPLITS);
    let splits = explain::splits(&problem.household, most, stop).unwrap_or_default();
    splits
        .into_iter()
        .map(|s| SplitView {
            shops: s.shops,
            at: s.plan.as_ref().map(|p| at(problem, p)).unwrap_or_default(),
            pay: s.plan.as_ref().map(|p| money(p.evaluation.payable)),
            saving: s.saving.map(money),
            proven: s.plan.as_ref().is_some_and(|p| p.optimal),
            missing: if s.shops == 1 && s.plan.is_none() {
                problem.missing_at_best_shop()
            } else {
                Vec::new()
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_stopped_by_name_and_forgotten_when_nobody_waits() {
        let running = Running::default();
        let stopper = running.begin(Some("one".into()));
        let flag = stopper.flag();
        assert!(!running.stop("two") && !flag.load(Ordering::Relaxed));
        assert!(running.stop("one") && flag.load(Ordering::Relaxed));
        drop(stopper);
        assert!(!running.stop("one"));

        let gone = running.begin(None);
        let flag = gone.flag();
        drop(gone);
        assert!(flag.load(Ordering::Relaxed), "the caller went away");
    }
}
