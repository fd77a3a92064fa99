//! Where to buy a whole list: from wants and offers to an instance of the basket problem,
//! and from its solution to what the person sees.

mod coupons;
mod problem;
mod running;
mod terms;
mod view;

pub use running::{Running, Stopper};

use super::api::ApiError;
use super::api::types::{BasketReply, BasketRequest, NotBought, PlanView};
use super::core::Agent;
use super::life;
use super::store::Store;
use super::terms as noted;
use super::view::{self as market_view, Market};
use crate::engine::basket::conflict::{Conflict, Relief, conflict, over_budget};
use crate::engine::basket::{BasketError, Instance, Solved, solve};
use crate::model::want::{Want, WantKind, WantStatus};
use crate::model::{Currency, Money, Place, Sentence, sentence};
use problem::{Entry, Problem};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use view::Uncompared;

/// How long the search may take when nobody says.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30);
/// The longest search.
const MAX_LIMIT_MS: u64 = 600_000;
/// The most time for the questions beside the plan: other numbers of shops, the worst case.
const EXPLAIN_LIMIT: Duration = Duration::from_secs(5);
/// Coupons tried at once.
const MAX_TRIED: usize = 20;

/// Answers a request beside the event loop. Dropping the future ends the search.
///
/// # Errors
/// An unknown list, limits that contradict each other, or as the vault.
pub async fn find(
    agent: &Agent,
    store: &Store,
    market: Market,
    request: BasketRequest,
) -> Result<BasketReply, ApiError> {
    let stopper = agent.baskets().begin(request.run.clone());
    let (flag, store) = (stopper.flag(), store.clone());
    tokio::task::spawn_blocking(move || answer(&store, &market, &request, &flag))
        .await
        .map_err(|e| ApiError::failed(e.to_string()))?
}

/// Answers a request. Works for seconds: not for the event loop.
///
/// # Errors
/// An unknown list, limits that contradict each other (saying which), amounts without an
/// exchange rate, or as the vault.
fn answer(
    store: &Store,
    market: &Market,
    request: &BasketRequest,
    stopped: &AtomicBool,
) -> Result<BasketReply, ApiError> {
    let started = Instant::now();
    let limit = check(store, market, request)?;
    let start = start(market, request.from.as_deref())?;
    let (list, wants) = wanted(store, request.list.as_deref())?;
    let budget = match &request.budget {
        Some(budget) => Some(market.cents(budget).ok_or_else(|| {
            let home = market.home().code();
            ApiError::invalid(sentence!(
                "a budget of ",
                *budget,
                " cannot be counted in ",
                home
            ))
            .hint(if budget.currency == market.home() {
                "leave it out: nobody spends so much"
            } else {
                "give it in your own currency"
            })
        })?),
        None => None,
    };
    let mut entries = Vec::new();
    let mut nobody = Vec::new();
    for want in wants {
        let (mut offers, mut out) = market_view::buyable(store, market, &want)?;
        offers.retain(|offer| {
            let reachable = terms::is_reachable(market, &offer.shop, start);
            if !reachable {
                out.push(sentence!(
                    &offer.shop,
                    ": must be fetched, and the way there is not known"
                ));
            }
            reachable
        });
        if offers.is_empty() && !problem::is_noted(market, want.id, start) {
            let because = match (&out[..], market_view::blind_pages(store, &want)?.first()) {
                ([], Some(blind)) => sentence!("its page cannot be read: ", blind.words()),
                ([], None) => "no offer is known to be it".into(),
                _ => Sentence::join(out, "; "),
            };
            nobody.push(not_bought(market, &want, because));
        } else {
            entries.push(Entry { want, offers });
        }
    }
    let mut problem = Problem::new(market, entries, start, &request.coupons, &mut nobody);
    if request.from.is_some() && !problem.has_trips() {
        problem.notes.push(
            "no place of these shops is known, so where you start changes nothing; \
             `emptor shop terms SHOP --place LAT,LON` tells it"
                .to_owned(),
        );
    }
    problem.household.limits.max_shops = request.max_shops;
    problem.household.limits.budget = budget;
    let mut reply = BasketReply {
        list,
        wants: problem.entries.len(),
        plan: None,
        splits: Vec::new(),
        cheapest_each: None,
        bundles: Vec::new(),
        worst: None,
        limits: Vec::new(),
        left_out: Vec::new(),
        nobody,
        notes: problem.notes.clone(),
        milliseconds: 0,
    };
    if !problem.entries.is_empty() {
        let deadline = started + limit;
        let mut stop = || stopped.load(Ordering::Relaxed) || Instant::now() >= deadline;
        let valid = problem.household.validate();
        valid.map_err(|e| ApiError::invalid(e.to_string()))?;
        let until = Instant::now() + EXPLAIN_LIMIT.min(limit / 4);
        let mut soon = || stopped.load(Ordering::Relaxed) || Instant::now() >= until;
        if let Some(relief) = over_budget(&problem.household, &mut soon) {
            return Err(refused(market, &[relief], ""));
        }
        let instance = Instance::Household(problem.household.clone());
        let solved =
            solve(&instance, &mut stop).map_err(|e| refusal(market, e, &problem, stopped))?;
        fill(store, market, &problem, &solved, limit, stopped, &mut reply)?;
    }
    reply.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(reply)
}

/// Refuses what makes no sense; returns how long the search may take.
fn check(store: &Store, market: &Market, request: &BasketRequest) -> Result<Duration, ApiError> {
    if request.max_shops == Some(0) {
        return Err(ApiError::invalid("0 shops sell nothing").hint("give --max-shops 1 or more"));
    }
    if request.budget.is_some_and(|b| b.amount.is_sign_negative()) {
        return Err(ApiError::invalid("a budget must not be negative")
            .hint("give the most you would pay in all, or leave it out"));
    }
    if request.coupons.len() > MAX_TRIED {
        return Err(ApiError::invalid(format!(
            "at most {MAX_TRIED} coupons can be tried at once"
        )));
    }
    for tried in &request.coupons {
        noted::check_tried(store, market, tried)?;
    }
    match request.limit_ms {
        Some(ms) if !(1..=MAX_LIMIT_MS).contains(&ms) => Err(ApiError::invalid(format!(
            "the time limit must be from 1 to {MAX_LIMIT_MS} ms"
        ))
        .hint(format!(
            "without one the search ends after {} seconds at the latest",
            DEFAULT_LIMIT.as_secs()
        ))),
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Ok(DEFAULT_LIMIT),
    }
}

/// Where trips start.
fn start(market: &Market, from: Option<&str>) -> Result<Option<Place>, ApiError> {
    market.start(from).map_err(|e| {
        let known: Vec<&str> = market.places().collect();
        let hint = if known.is_empty() {
            "name places under [places] in the settings, or give a point".to_owned()
        } else {
            format!("the settings name: {}", known.join(", "))
        };
        ApiError::invalid(e.to_string()).hint(hint)
    })
}

/// The open wants of a list, or all shopping items.
fn wanted(store: &Store, list: Option<&str>) -> Result<(String, Vec<Want>), ApiError> {
    let mut wants = store.wants()?;
    wants.retain(|w| w.status == WantStatus::Open);
    let lists = life::lists_of(&wants);
    let name = list.map_or_else(|| "all shopping lists".to_owned(), str::to_owned);
    wants.retain(|w| match list {
        Some(list) => w.is_on(list),
        None => w.kind == WantKind::Shopping,
    });
    if wants.is_empty() {
        let hint = life::lists_hint(&lists);
        let nothing = list.map_or_else(
            || "nothing is open on any shopping list".to_owned(),
            |list| format!("nothing is open on a list `{list}`"),
        );
        return Err(ApiError::not_found(nothing).hint(hint));
    }
    Ok((name, wants))
}

fn not_bought(market: &Market, want: &Want, because: Sentence) -> NotBought {
    NotBought {
        want: want.id.short(),
        name: want.name.clone(),
        reason: market.say(&because),
        because,
    }
}

/// Says which limits contradict each other.
fn refusal(
    market: &Market,
    error: BasketError,
    problem: &Problem,
    stopped: &AtomicBool,
) -> ApiError {
    match error {
        BasketError::Infeasible(_) => {}
        BasketError::Stopped => {
            return ApiError::conflict(error.to_string())
                .hint("give it more time with --limit-ms, or take limits away");
        }
        BasketError::TooLarge {
            field,
            problem: size,
        } => {
            // The want, if it is about one.
            let id = field.strip_prefix("items.").unwrap_or_default();
            let what = problem.want_of(id).map_or(field.as_str(), |w| &w.name);
            return ApiError::conflict(format!("`{what}` is too much to weigh up ({size})"))
                .hint("ask for fewer, or for larger packs");
        }
        other => return ApiError::failed(other.to_string()),
    }
    let deadline = Instant::now() + EXPLAIN_LIMIT;
    let mut stop = || stopped.load(Ordering::Relaxed) || Instant::now() >= deadline;
    let (reliefs, word) = match conflict(&problem.household, &mut stop) {
        Conflict::Any(reliefs) => (reliefs, "; or "),
        Conflict::All(reliefs) => (reliefs, "; and "),
        Conflict::Unknown => {
            return ApiError::conflict(
                "no plan keeps all limits; which of them is in the way was not found in time",
            )
            .hint("leave --budget or --max-shops out");
        }
    };
    refused(market, &reliefs, word)
}

fn refused(market: &Market, reliefs: &[Relief], word: &str) -> ApiError {
    let text = reliefs.iter().map(|r| relief(r, market.home()));
    let text = Sentence::join(text, word);
    let hints = reliefs.iter().map(|r| match r {
        Relief::Budget { .. } => "raise the budget",
        Relief::MaxShops { .. } | Relief::MaxPickups { .. } => "allow more shops",
        Relief::MinOrder { .. } => "put more on the list",
    });
    let hints: Vec<&str> = hints.collect();
    let hints = hints.join(word.trim_start_matches(';'));
    ApiError::conflict(text).hint(format!("{hints}, or change the list"))
}

/// A limit that is in the way, in words.
fn relief(relief: &Relief, home: Currency) -> Sentence {
    let money = |cents| Money::from_minor(cents, home);
    let at_most = |exact: bool| if exact { "" } else { "at most " };
    match relief {
        Relief::Budget { is, least, exact } => sentence!(
            "the list costs ",
            at_most(*exact),
            money(*least),
            ", the budget is ",
            money(*is)
        ),
        Relief::MaxShops { is, least, exact } | Relief::MaxPickups { is, least, exact } => {
            let few = match is {
                1 => "no single shop offers".to_owned(),
                n => format!("no {n} shops offer"),
            };
            let together = at_most(*exact);
            format!("{few} the whole list; {together}{least} together do").into()
        }
        Relief::MinOrder { short } => {
            let short = short
                .iter()
                .map(|(shop, missing)| sentence!(shop, " wants ", money(*missing), " more"));
            let short = Sentence::join(short, ", ");
            sentence!("the list stays under the least order: ", short)
        }
    }
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
    let purchase = view::bought(solved);
    // Once more, and not by the solver: nothing unchecked is shown.
    let checked = view::check_again(household, purchase)?;
    if checked != solved.evaluation {
        return Err(ApiError::failed(
            "the plan does not check; please report it",
        ));
    }
    let deadline = Instant::now() + limit.min(EXPLAIN_LIMIT);
    let mut stop = || stopped.load(Ordering::Relaxed) || Instant::now() >= deadline;
    let shops = view::carts(store, market, problem, purchase, &reply.nobody)?;
    let gap = (checked.cost - solved.bound) as f64 / checked.cost.max(1) as f64;
    reply.plan = Some(PlanView {
        shops,
        pay: money(checked.payable),
        cost: money(checked.cost),
        bound: money(solved.bound),
        proven: solved.optimal,
        gap_percent: (gap * 10_000.0).ceil() / 100.0,
    });
    reply.left_out = problem.left_out(market, purchase);
    reply.cheapest_each = view::cheapest_each(problem).map(money);
    let mut late = Uncompared::default();
    reply.worst = view::worst(market, problem, purchase, &mut late, &mut stop);
    let carts = reply.plan.as_ref().map_or(0, |p| p.shops.len());
    reply.splits = view::splits(market, problem, solved, carts, &mut late, &mut stop);
    let cost = checked.cost;
    reply.bundles = view::bundles(problem, purchase, cost, home, &mut late, &mut stop);
    reply.limits = view::limits(household, cost, home, &mut late, &mut stop);
    reply.notes.extend(late.words());
    Ok(())
}
