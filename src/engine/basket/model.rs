//! The instance in the form the solver works on.
//!
//! A shop is in one of several *states*: delivery tier, weight tier, fetched or
//! sent, coupons used, discount bracket. Within a state the cost is linear in what
//! is bought, except that some totals (spend, weight, goods in a coupon's scope)
//! must lie in a range. A *cell* is one item at one shop; a *choice* of a cell is a
//! combination of the shop's offers for that item (single units, packs, substitutes).

mod quantities;
mod states;

use quantities::{combinations, fillers, units_of, useful_excess, useful_quantities};
use states::add_states;

use super::instance::{BasketError, Cents, Classic, Household, Instance, MAX_UNITS, Step};
use std::collections::BTreeMap;

/// Combinations of offers kept for one item at one shop.
const MAX_CHOICES: usize = 20_000;
/// Choices kept in all.
const MAX_ALL_CHOICES: usize = 4_000_000;
/// Combinations of coupons at one shop.
const MAX_COUPON_SETS: usize = 512;
/// Purchases kept that only help to reach a minimum, for one item at one shop.
const MAX_FILLERS: usize = 600;
/// States of one shop.
const MAX_STATES: usize = 4_096;
/// Quantities of the bundles of one shop that are looked at together.
pub(super) const MAX_PATTERNS: usize = 81;

/// A total over a cart that a state restricts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// Goods before coupons.
    Spend,
    /// Goods after the state's rates.
    Pay,
    /// Goods in the scope of the shop's n-th coupon.
    Base(usize),
    /// Grams.
    Weight,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    pub measure: Measure,
    pub low: f64,
    pub high: f64,
    /// Largest multiplier on `low` with which buying more than is needed never pays.
    pub max_price: f64,
}

#[derive(Debug, Clone)]
pub(super) struct State {
    pub pickup: bool,
    /// Payable whatever is bought, minus discounts that do not depend on it.
    pub fixed_pay: f64,
    pub profile: usize,
    pub ranges: Vec<Range>,
    /// Indices into the instance's coupons.
    pub coupons: Vec<usize>,
}

/// Discount rates in force: on everything, and on the scope of each coupon.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    pub all: f64,
    pub coupon: Vec<(usize, f64)>,
}

impl Profile {
    /// The most cents that flooring takes from what the rates promise.
    pub(super) fn rounding(&self) -> f64 {
        (self.coupon.len() + usize::from(self.all > 0.0)) as f64
    }
}

/// What a choice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Item(usize),
    /// Index of the bundle at the shop, and how many.
    Bundle(usize, i64),
}

#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub what: For,
    /// Units of the item, at most the need.
    pub units: f64,
    pub spend: f64,
    pub weight: f64,
    pub disutility: f64,
    /// Slice of [`ShopModel::picks`].
    pub picks: (u32, u32),
}

#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub item: usize,
    /// Choices worth it by themselves are `first..end`; those of `end..last` buy more
    /// than is needed and are worth it only where that reaches a minimum.
    pub first: usize,
    pub end: usize,
    pub last: usize,
}

/// An offer that covers several items. Its `levels` are choices (index 0 buys none).
#[derive(Debug, Clone)]
pub(super) struct Bundle {
    pub covers: Vec<(usize, i64)>,
    pub levels: Vec<(i64, usize)>,
}

/// Units of an item that are still of use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    pub units: f64,
    /// Where what the choices of its cell lose begins, in a table of the shop.
    pub at: usize,
}

/// Bundles of one shop that share items, and the cells they touch.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub bundles: Vec<usize>,
    pub cells: Vec<usize>,
    /// Level of each bundle.
    pub patterns: Vec<Vec<usize>>,
    /// Items the bundles cover.
    pub items: Vec<usize>,
    /// Per cell: what patterns leave of use, each once.
    pub lefts: Vec<Vec<Left>>,
    /// Per pattern: which of `lefts` it leaves of each of `cells`, and units of each of
    /// `items` that the bundles cover. Units beyond the need count nothing.
    pub left: Vec<Vec<usize>>,
    pub used: Vec<Vec<f64>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ShopModel {
    pub cells: Vec<Cell>,
    pub choices: Vec<Choice>,
    pub picks: Vec<(usize, i64)>,
    pub bundles: Vec<Bundle>,
    pub groups: Vec<Group>,
    /// Cells no bundle touches.
    pub plain: Vec<usize>,
    pub profiles: Vec<Profile>,
    pub states: Vec<State>,
    /// Goods after the profile's rates, per profile and choice.
    pub pay: Vec<Vec<f64>>,
    /// What the objective sees, per profile and choice.
    pub cost: Vec<Vec<f64>>,
    /// Goods in scope, per coupon of the shop and choice.
    pub base: Vec<Vec<f64>>,
    /// Spend and weight of each choice, for going through them quickly.
    pub spends: Vec<f64>,
    pub weights: Vec<f64>,
    /// Coupons of the shop, indices into the instance.
    pub coupons: Vec<usize>,
    /// There are more ways to buy too much than are listed: what the shop is worth is
    /// then only bounded.
    pub open_ended: bool,
}

impl ShopModel {
    /// What each choice adds to a total.
    pub(super) fn totals(&self, measure: Measure, profile: usize) -> &[f64] {
        match measure {
            Measure::Spend => &self.spends,
            Measure::Pay => &self.pay[profile],
            Measure::Base(c) => &self.base[c],
            Measure::Weight => &self.weights,
        }
    }

    pub(super) fn cell(&self, item: usize) -> Option<&Cell> {
        let at = self.cells.binary_search_by_key(&item, |c| c.item).ok()?;
        Some(&self.cells[at])
    }
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub need: Vec<usize>,
    /// Cost of a missing unit; [`Model::big`] if the item must be bought.
    pub penalty: Vec<f64>,
    /// More than anything feasible costs.
    pub big: f64,
    pub shops: Vec<ShopModel>,
    pub max_shops: usize,
    pub max_pickups: Option<usize>,
    pub hassle: f64,
    pub budget: Option<f64>,
    /// Two coupons of different shops share a group, so states interact.
    pub group_of: Vec<usize>,
    pub shared_groups: bool,
}

impl Model {
    pub(super) fn new(instance: &Instance) -> Result<Self, BasketError> {
        let mut model = match instance {
            Instance::Classic(c) => classic(c),
            Instance::Household(h) => household(h)?,
        };
        for shop in &mut model.shops {
            for pay in &shop.pay {
                let cost = |(p, c): (&f64, &Choice)| p + c.disutility;
                let costs = pay.iter().zip(&shop.choices).map(cost);
                shop.cost.push(costs.collect());
            }
        }
        Ok(model)
    }

    /// Cost of being in a state, whatever is bought.
    pub(super) fn fixed(&self, state: &State) -> f64 {
        state.fixed_pay + self.hassle
    }
}

/// The product at `shop` as an offer index; the classic schema has no offers.
pub(super) fn classic_offer(n: usize, shop: usize, product: usize) -> usize {
    shop * n + product
}

fn classic(c: &Classic) -> Model {
    // Without a discount a price above some shop's price and delivery is never paid.
    // With one, goods cost at least the last bracket's share of their price, and the
    // other shop alone at most its price and delivery.
    let rate = |bp: i64| bp as f64 / 10_000.0;
    let least = c
        .discount
        .as_ref()
        .and_then(|d| d.rate_bp.last())
        .map_or(1.0, |r| 1.0 - rate(*r));
    let ceiling: Vec<f64> = (0..c.n)
        .map(|j| {
            let alone = |(row, d): (&Vec<Option<Cents>>, &Cents)| row[j].map(|p| p + d);
            let best = c.price.iter().zip(&c.delivery).filter_map(alone).min();
            best.map_or(f64::INFINITY, |b| b as f64)
        })
        .collect();
    let mut shops = Vec::with_capacity(c.price.len());
    for (i, row) in c.price.iter().enumerate() {
        let mut shop = ShopModel::default();
        for (j, price) in row.iter().enumerate() {
            let Some(price) = price else { continue };
            let spend = *price as f64;
            if spend * least > ceiling[j] {
                continue;
            }
            let at = shop.choices.len();
            let pick = shop.picks.len() as u32;
            shop.picks.push((classic_offer(c.n, i, j), 1));
            shop.choices.push(Choice {
                what: For::Item(j),
                units: 1.0,
                spend,
                weight: 0.0,
                disutility: 0.0,
                picks: (pick, pick + 1),
            });
            shop.plain.push(shop.cells.len());
            shop.cells.push(Cell {
                item: j,
                first: at,
                end: at + 1,
                last: at + 1,
            });
        }
        let delivery = c.delivery[i] as f64;
        let flat = crate::engine::basket::instance::Discount {
            breaks: Vec::new(),
            rate_bp: vec![0],
        };
        // A concave piecewise linear cost is the least of its lines: one state each.
        let discount = c.discount.as_ref().unwrap_or(&flat);
        let (mut offset, mut low) = (0.0, 0.0);
        for (k, bp) in discount.rate_bp.iter().enumerate() {
            let r = rate(*bp);
            shop.states.push(State {
                pickup: false,
                fixed_pay: delivery * (1.0 - r) + low * r - offset,
                profile: k,
                ranges: Vec::new(),
                coupons: Vec::new(),
            });
            shop.profiles.push(Profile {
                all: r,
                coupon: Vec::new(),
            });
            let pay = |ch: &Choice| ch.spend * (1.0 - r);
            shop.pay.push(shop.choices.iter().map(pay).collect());
            if let Some(end) = discount.breaks.get(k) {
                offset += (*end as f64 - low) * r;
                low = *end as f64;
            }
        }
        shops.push(shop);
    }
    let dearest = |row: &Vec<Option<Cents>>| row.iter().flatten().sum::<Cents>();
    let all: Cents = c.price.iter().map(dearest).sum::<Cents>() + c.delivery.iter().sum::<Cents>();
    let big = all as f64 + 1.0;
    Model {
        need: vec![1; c.n],
        penalty: vec![big; c.n],
        big,
        max_shops: shops.len(),
        shops,
        max_pickups: None,
        hassle: 0.0,
        budget: None,
        group_of: Vec::new(),
        shared_groups: false,
    }
}

fn household(h: &Household) -> Result<Model, BasketError> {
    let mut offers_of = vec![Vec::new(); h.shops.len()];
    for (o, offer) in h.offers.iter().enumerate() {
        if offer.min_qty() <= offer.max_qty {
            offers_of[offer.shop].push(o);
        }
    }
    let mut coupons_of = vec![Vec::new(); h.shops.len()];
    for (c, coupon) in h.coupons.iter().enumerate() {
        coupons_of[coupon.shop].push(c);
    }
    let mut shop_of_group: BTreeMap<usize, usize> = BTreeMap::new();
    let shared_groups = h
        .coupons
        .iter()
        .any(|c| *shop_of_group.entry(c.group).or_insert(c.shop) != c.shop);
    let mut shops = Vec::with_capacity(h.shops.len());
    let mut total = 0;
    for s in 0..h.shops.len() {
        let coupons = std::mem::take(&mut coupons_of[s]);
        let mut shop = ShopModel {
            base: vec![Vec::new(); coupons.len()],
            coupons,
            ..ShopModel::default()
        };
        add_choices(h, &mut shop, s, &offers_of[s])?;
        total += shop.choices.len();
        if total > MAX_ALL_CHOICES {
            return Err(BasketError::TooLarge {
                field: "offers".into(),
                problem: format!("more than {MAX_ALL_CHOICES} combinations"),
            });
        }
        let need: Vec<i64> = h.items.iter().map(|i| i.qty.min(MAX_UNITS)).collect();
        group_bundles(&mut shop, &need);
        add_states(h, s, &mut shop, &offers_of[s])?;
        shops.push(shop);
    }
    let need = |q: i64| usize::try_from(q.min(MAX_UNITS)).unwrap_or(0);
    let big = everything(h);
    Ok(Model {
        big,
        need: h.items.iter().map(|i| need(i.qty)).collect(),
        penalty: h
            .items
            .iter()
            .map(|i| i.unmet_penalty.map_or(big, |p| p as f64))
            .collect(),
        max_shops: h
            .limits
            .max_shops
            .unwrap_or(h.shops.len())
            .min(h.shops.len()),
        shops,
        max_pickups: h.limits.max_pickups,
        hassle: h.limits.per_shop_hassle as f64,
        budget: h.limits.budget.map(|b| b as f64),
        group_of: h.coupons.iter().map(|c| c.group).collect(),
        shared_groups,
    })
}

/// More than buying and missing everything costs.
fn everything(h: &Household) -> f64 {
    let last = |steps: &[Step]| steps.iter().map(|s| s.amount).max().unwrap_or(0) as f64;
    let offers = h
        .offers
        .iter()
        .map(|o| (last(&o.breaks) + o.disutility as f64) * o.max_qty as f64);
    let shops = h.shops.iter().map(|s| {
        let pickup = s.pickup.map_or(0, |p| p.travel + p.fee) as f64;
        last(&s.tiers) + last(&s.weight_tiers) + pickup + h.limits.per_shop_hassle as f64
    });
    let items = h
        .items
        .iter()
        .map(|i| i.unmet_penalty.unwrap_or(0) as f64 * i.qty as f64);
    1.0 + offers.sum::<f64>() + shops.sum::<f64>() + items.sum::<f64>()
}

/// Adds a choice that buys `lines` and covers `units`.
fn push_choice(h: &Household, shop: &mut ShopModel, what: For, units: i64, lines: &[(usize, i64)]) {
    let first = shop.picks.len() as u32;
    let mut choice = Choice {
        what,
        units: units as f64,
        spend: 0.0,
        weight: 0.0,
        disutility: 0.0,
        picks: (first, first),
    };
    let mut base = vec![0.0; shop.coupons.len()];
    for (o, qty) in lines.iter().filter(|l| l.1 > 0) {
        let offer = &h.offers[*o];
        let price = offer.price_of(*qty).unwrap_or(0) as f64;
        choice.spend += price;
        choice.weight += (offer.weight_g * qty) as f64;
        choice.disutility += (offer.disutility * qty) as f64;
        for (b, c) in base.iter_mut().zip(&shop.coupons) {
            if h.coupons[*c].covers(*o) {
                *b += price;
            }
        }
        shop.picks.push((*o, *qty));
        choice.picks.1 += 1;
    }
    for (all, b) in shop.base.iter_mut().zip(base) {
        all.push(b);
    }
    shop.spends.push(choice.spend);
    shop.weights.push(choice.weight);
    shop.choices.push(choice);
}

fn add_choices(
    h: &Household,
    shop: &mut ShopModel,
    s: usize,
    offers: &[usize],
) -> Result<(), BasketError> {
    let excess = useful_excess(h, s, &shop.coupons);
    let mut single: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for o in offers {
        let covers = &h.offers[*o].covers;
        if covers.len() == 1 {
            single.entry(covers[0].0).or_default().push(*o);
        }
    }
    for (item, offers) in single {
        let mut all = Vec::new();
        combinations(h, &offers, h.items[item].qty, &mut Vec::new(), &mut all);
        if all.len() > MAX_CHOICES {
            return Err(BasketError::TooLarge {
                field: format!("items.{}", h.items[item].id),
                problem: format!("one shop has more than {MAX_CHOICES} ways to buy it"),
            });
        }
        let first = shop.choices.len();
        let useful: Vec<_> = all.iter().filter(|l| l.iter().any(|x| x.1 > 0)).collect();
        for lines in &useful {
            let units = units_of(h, lines).min(h.items[item].qty);
            push_choice(h, shop, For::Item(item), units, lines);
        }
        let end = shop.choices.len();
        if excess.most > 0 {
            let order = h.shops[s].min_order;
            let (fillers, all) = fillers(h, &offers, h.items[item].qty, excess, order, &useful);
            shop.open_ended |= !all;
            for lines in fillers {
                let units = units_of(h, &lines).min(h.items[item].qty);
                push_choice(h, shop, For::Item(item), units, &lines);
            }
        }
        shop.cells.push(Cell {
            item,
            first,
            end,
            last: shop.choices.len(),
        });
    }
    for o in offers {
        let offer = &h.offers[*o];
        if offer.covers.len() < 2 {
            continue;
        }
        let useful = offer
            .covers
            .iter()
            .map(|(i, a)| (h.items[*i].qty + a - 1) / a)
            .max()
            .unwrap_or(0);
        let mut levels = vec![(0, usize::MAX)];
        let mut quantities = useful_quantities(offer, useful);
        let top = quantities.iter().copied().max().unwrap_or(0);
        let paid = offer.price_of(top).unwrap_or(0);
        // More of them than anyone can use, to reach a minimum.
        for qty in top + 1..=offer.max_qty {
            if offer
                .price_of(qty)
                .is_none_or(|p| p > paid + excess.most || p == paid)
            {
                break;
            }
            if quantities.len() > MAX_PATTERNS / 3 {
                shop.open_ended = true;
                break;
            }
            quantities.push(qty);
        }
        for qty in quantities {
            levels.push((qty, shop.choices.len()));
            push_choice(
                h,
                shop,
                For::Bundle(shop.bundles.len(), qty),
                0,
                &[(*o, qty)],
            );
        }
        shop.bundles.push(Bundle {
            covers: offer.covers.clone(),
            levels,
        });
    }
    Ok(())
}

/// Joins the bundles that share items, as far as the patterns stay few.
fn group_bundles(shop: &mut ShopModel, need: &[i64]) {
    let mut groups: Vec<(Vec<usize>, Vec<usize>, usize)> = Vec::new(); // bundles, items, patterns
    for (b, bundle) in shop.bundles.iter().enumerate() {
        let mut joined = (
            vec![b],
            bundle.covers.iter().map(|c| c.0).collect::<Vec<_>>(),
            bundle.levels.len(),
        );
        let mut kept = Vec::new();
        for group in groups {
            let touches = group.1.iter().any(|i| joined.1.contains(i));
            if touches && joined.2.saturating_mul(group.2) <= MAX_PATTERNS {
                joined.0.extend(group.0);
                joined.1.extend(group.1);
                joined.2 *= group.2;
            } else {
                kept.push(group);
            }
        }
        kept.push(joined);
        groups = kept;
    }
    let mut taken = vec![false; shop.cells.len()];
    let mut losses = 0;
    for (bundles, mut items, _) in groups {
        items.sort_unstable();
        items.dedup();
        let mut cells = Vec::new();
        for (c, cell) in shop.cells.iter().enumerate() {
            // A cell that an earlier group took stays there: the overlap is counted
            // twice in this shop's bound, which only weakens it.
            if !taken[c] && items.binary_search(&cell.item).is_ok() {
                taken[c] = true;
                cells.push(c);
            }
        }
        let mut patterns: Vec<Vec<usize>> = vec![Vec::new()];
        for b in &bundles {
            let levels = shop.bundles[*b].levels.len();
            patterns = patterns
                .into_iter()
                .flat_map(|p| (0..levels).map(move |l| [p.as_slice(), &[l]].concat()))
                .collect();
        }
        let covered = |pattern: &Vec<usize>, item: usize| -> i64 {
            let of = |(b, level): (&usize, &usize)| {
                let bundle = &shop.bundles[*b];
                let units = bundle
                    .covers
                    .iter()
                    .find(|c| c.0 == item)
                    .map_or(0, |c| c.1);
                units * bundle.levels[*level].0
            };
            let units: i64 = bundles.iter().zip(pattern).map(of).sum();
            units.min(need[item])
        };
        let mut lefts = vec![Vec::new(); cells.len()];
        let mut left = vec![Vec::new(); patterns.len()];
        for (c, lefts) in cells.iter().zip(&mut lefts) {
            let item = shop.cells[*c].item;
            for (p, left) in patterns.iter().zip(&mut left) {
                let units = (need[item] - covered(p, item)) as f64;
                let known = lefts.iter().position(|l: &Left| l.units == units);
                left.push(known.unwrap_or(lefts.len()));
                if known.is_none() {
                    lefts.push(Left { units, at: losses });
                    losses += shop.cells[*c].last - shop.cells[*c].first;
                }
            }
        }
        let used = patterns
            .iter()
            .map(|p| items.iter().map(|i| covered(p, *i) as f64).collect());
        shop.groups.push(Group {
            lefts,
            left,
            used: used.collect(),
            bundles,
            cells,
            patterns,
            items,
        });
    }
    shop.plain = (0..shop.cells.len()).filter(|c| !taken[*c]).collect();
}
