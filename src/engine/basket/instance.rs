//! The problem as it comes in: typed, resolved to indices, and refused with the
//! name of the field when it makes no sense.

use super::json::Json;
use super::read::{Field, list, text};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An amount in minor units of one currency.
pub type Cents = i64;

/// The largest single amount accepted: far above any household and far below where
/// sums of products leave the range in which `f64` bounds are exact.
pub const MAX_CENTS: Cents = 100_000_000_000;
/// The largest count of units accepted.
pub const MAX_UNITS: i64 = 100_000;
/// The largest sum, in cents and in grams, of everything that could be bought.
const MAX_TOTAL: i128 = 1 << 50;
/// Sizes above this are refused before anything is allocated for them.
const MAX_ENTRIES: usize = 1_000_000;

/// Why an instance is refused or has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BasketError {
    /// The text is not JSON.
    #[error("not JSON: {problem}")]
    NotJson {
        /// What is wrong, and where.
        problem: String,
        /// The line, from 1 on, and the column in it; 0 where none is to blame.
        line: usize,
        /// See `line`.
        column: usize,
    },
    /// A field is missing, of the wrong kind or out of range.
    #[error("{field}: {problem}")]
    Invalid {
        /// The path of the field, for example `offers[3].max_qty`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The instance is well formed, but nothing satisfies it.
    #[error("nothing satisfies the list: {0}")]
    Infeasible(String),
    /// The instance is larger than the solver accepts.
    #[error("{field}: too large ({problem})")]
    TooLarge {
        /// The path of the field.
        field: String,
        /// The size and the limit.
        problem: String,
    },
    /// The answer did not pass the evaluator: a defect of the solver.
    #[error("internal error: the answer does not check ({0})")]
    Inconsistent(String),
    /// The search ended, mostly because the time was over, before any answer was found.
    #[error("the search ended without an answer, and did not show that there is none")]
    Stopped,
}

/// Something to buy.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name in the instance.
    pub id: String,
    /// Units wanted.
    pub qty: i64,
    /// Cost of each missing unit; `None` if it must be bought.
    pub unmet_penalty: Option<Cents>,
}

/// What the free-delivery threshold is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The goods before coupons.
    BeforeCoupons,
    /// The goods after coupons.
    AfterCoupons,
}

/// From `from` on, `amount` applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where it starts: cents of a spend (inclusive) or grams (exclusive).
    pub from: i64,
    /// The amount from there on.
    pub amount: Cents,
}

/// Fetching the goods oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pickup {
    /// Cost of the trip.
    pub travel: Cents,
    /// What the shop asks for it.
    pub fee: Cents,
}

/// The concave discount on delivery and goods of one shop (Blazewicz, Bouvry,
/// Kovalyov, Musial 2014): each bracket has its own rate, as with income tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    /// Upper ends of the brackets; the last bracket has none.
    pub breaks: Vec<Cents>,
    /// Basis points per bracket, non-decreasing, one more than `breaks`.
    pub rate_bp: Vec<i64>,
}

/// A shop's terms.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its name in the instance.
    pub id: String,
    /// Delivery fee by spend, ascending, starting at 0.
    pub tiers: Vec<Step>,
    /// What the tiers are compared with.
    pub basis: Basis,
    /// Surcharge when the weight is over `from`, ascending; the last one passed counts.
    pub weight_tiers: Vec<Step>,
    /// Whether and at what cost the goods can be fetched.
    pub pickup: Option<Pickup>,
    /// Least value of goods before coupons.
    pub min_order: Cents,
}

/// One line a shop sells.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its name in the instance.
    pub id: String,
    /// Index of the shop.
    pub shop: usize,
    /// (item, units): several items make a bundle, several units a pack.
    pub covers: Vec<(usize, i64)>,
    /// Unit price for all units from a quantity on, ascending.
    pub breaks: Vec<Step>,
    /// Stock.
    pub max_qty: i64,
    /// Grams of one.
    pub weight_g: i64,
    /// What the person would pay, per unit, to have the original instead.
    pub disutility: Cents,
}

impl Offer {
    /// The price of `qty` units, or `None` where that many cannot be bought.
    #[must_use]
    pub fn price_of(&self, qty: i64) -> Option<Cents> {
        if qty == 0 {
            return Some(0);
        }
        if qty > self.max_qty {
            return None;
        }
        let step = self.breaks.iter().rev().find(|b| qty >= b.from)?;
        step.amount.checked_mul(qty)
    }

    /// The least quantity that can be bought.
    #[must_use]
    pub fn min_qty(&self) -> i64 {
        self.breaks.first().map_or(1, |b| b.from)
    }
}

/// How a coupon reduces the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponKind {
    /// Basis points of the goods in its scope, floored to cents.
    Percent(i64),
    /// An amount, at most the goods in its scope.
    Fixed(Cents),
}

/// A coupon.
#[derive(Debug, Clone)]
pub struct Coupon {
    /// Its name in the instance.
    pub id: String,
    /// Index of the shop.
    pub shop: usize,
    /// What it gives.
    pub kind: CouponKind,
    /// Least value of the goods in its scope.
    pub min_spend: Cents,
    /// Offers in its scope, sorted; `None` for the whole shop.
    pub offers: Option<Vec<usize>>,
    /// The most it gives.
    pub cap: Option<Cents>,
    /// Only one coupon of a group can be used.
    pub group: usize,
}

impl Coupon {
    /// Whether the coupon counts goods of `offer`.
    #[must_use]
    pub fn covers(&self, offer: usize) -> bool {
        self.offers
            .as_ref()
            .is_none_or(|o| o.binary_search(&offer).is_ok())
    }

    /// The discount on `base` cents of goods in scope, or `None` below the minimum.
    #[must_use]
    pub fn discount(&self, base: Cents) -> Option<Cents> {
        if base < self.min_spend {
            return None;
        }
        let raw = match self.kind {
            CouponKind::Percent(bp) => {
                i64::try_from(i128::from(base) * i128::from(bp) / 10_000).ok()?
            }
            CouponKind::Fixed(value) => value.min(base),
        };
        Some(self.cap.map_or(raw, |cap| raw.min(cap)))
    }
}

/// What the person allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most shops.
    pub max_shops: Option<usize>,
    /// Most shops where the goods are fetched.
    pub max_pickups: Option<usize>,
    /// Most to pay out of pocket.
    pub budget: Option<Cents>,
    /// What one more shop is worth avoiding.
    pub per_shop_hassle: Cents,
}

/// The full household problem.
#[derive(Debug, Clone, Default)]
pub struct Household {
    /// What to buy.
    pub items: Vec<Item>,
    /// Where.
    pub shops: Vec<Shop>,
    /// At what prices.
    pub offers: Vec<Offer>,
    /// Coupons.
    pub coupons: Vec<Coupon>,
    /// Limits.
    pub limits: Limits,
    /// The most that percentages which are used together can take off beyond the price;
    /// see [`Household::cap_percentages`].
    pub overshoot: Cents,
}

/// The Internet Shopping Optimization Problem (Blazewicz et al. 2010).
#[derive(Debug, Clone)]
pub struct Classic {
    /// Products.
    pub n: usize,
    /// `price[shop][product]`, `None` where it is not sold.
    pub price: Vec<Vec<Option<Cents>>>,
    /// Delivery of each shop, once.
    pub delivery: Vec<Cents>,
    /// The discount that every shop gives, if any.
    pub discount: Option<Discount>,
}

/// An instance of one of the two schemas.
#[derive(Debug, Clone)]
pub enum Instance {
    /// `isop/1`.
    Classic(Classic),
    /// `emptor-basket/1`.
    Household(Household),
}

impl Instance {
    /// Reads and validates an instance.
    ///
    /// # Errors
    /// [`BasketError`] naming the first field that is wrong.
    pub fn from_json(json: &str) -> Result<Self, BasketError> {
        if let Some(plain) = PlainText::read(json) {
            return Ok(Self::Classic(plain));
        }
        let value = Json::read(json).map_err(|e| BasketError::NotJson {
            problem: e.to_string(),
            line: e.line(),
            column: e.column(),
        })?;
        let root = Field::root(&value);
        match root.get("schema")?.str()? {
            "isop/1" => Ok(Self::Classic(Classic::read(&root)?)),
            "emptor-basket/1" => {
                for limit in LIMITS {
                    if let Some(misplaced) = root.optional(limit) {
                        return Err(misplaced.invalid("belongs into `limits`"));
                    }
                }
                let mut household = Household::read(&root)?;
                household.cap_percentages();
                household.validate()?;
                household.drop_dominated()?;
                Ok(Self::Household(household))
            }
            other => Err(root.get("schema")?.invalid(format!(
                "`{other}` is neither `isop/1` nor `emptor-basket/1`"
            ))),
        }
    }
}

/// A correct `isop/1` without a discount, read without a tree of values: in a large
/// price matrix that is most of the work. Anything else is left to the reader that
/// knows the path of each field.
#[derive(Deserialize)]
struct PlainText {
    #[serde(rename = "schema")]
    _schema: PlainSchema,
    n: usize,
    m: usize,
    price: Vec<Vec<Option<Cents>>>,
    delivery: Vec<Cents>,
    discount: Option<IgnoredAny>,
}

#[derive(Deserialize)]
enum PlainSchema {
    #[serde(rename = "isop/1")]
    Isop,
}

impl PlainText {
    fn read(json: &str) -> Option<Classic> {
        let Self {
            n,
            m,
            price,
            delivery,
            discount,
            ..
        } = serde_json::from_str(json).ok()?;
        let amounts = 0..=MAX_CENTS;
        let mut sold = vec![false; n.min(MAX_ENTRIES)];
        let row_fits = |row: &Vec<Option<Cents>>| {
            row.len() == n
                && row.iter().zip(&mut sold).all(|(price, sold)| {
                    *sold |= price.is_some();
                    price.is_none_or(|p| amounts.contains(&p))
                })
        };
        let fits = (1..=MAX_ENTRIES).contains(&n)
            && (1..=MAX_ENTRIES).contains(&m)
            && n * m <= 10 * MAX_ENTRIES
            && discount.is_none()
            && price.len() == m
            && price.iter().all(row_fits)
            && delivery.len() == m
            && delivery.iter().all(|d| amounts.contains(d))
            && sold.iter().all(|s| *s);
        fits.then_some(Classic {
            n,
            price,
            delivery,
            discount: None,
        })
    }
}

impl Classic {
    fn read(root: &Field<'_>) -> Result<Self, BasketError> {
        let size = |key: &str| -> Result<usize, BasketError> {
            let n = root.get(key)?.int(1, MAX_ENTRIES as i64)?;
            Ok(usize::try_from(n).unwrap_or(usize::MAX))
        };
        let (n, m) = (size("n")?, size("m")?);
        if n.saturating_mul(m) > 10 * MAX_ENTRIES {
            return Err(BasketError::TooLarge {
                field: "price".into(),
                problem: format!("{n} products × {m} shops"),
            });
        }
        let rows = root.get("price")?.items_of_len(m, "one row per shop")?;
        let mut price = Vec::with_capacity(m);
        for row in rows {
            let cells = row.items_of_len(n, "one price per product")?;
            price.push(
                cells
                    .iter()
                    .map(|c| c.nullable()?.map(|c| c.int(0, MAX_CENTS)).transpose())
                    .collect::<Result<Vec<_>, _>>()?,
            );
        }
        let delivery = root.get("delivery")?.items_of_len(m, "one fee per shop")?;
        let delivery = list(&delivery, |d| d.int(0, MAX_CENTS))?;
        let discount = match root.optional("discount") {
            Some(d) => Some(Discount::read(&d)?),
            None => None,
        };
        for j in 0..n {
            if price.iter().all(|row| row[j].is_none()) {
                return Err(root
                    .get("price")?
                    .invalid(format!("no shop sells product {j}")));
            }
        }
        Ok(Self {
            n,
            price,
            delivery,
            discount,
        })
    }
}

impl Discount {
    fn read(field: &Field<'_>) -> Result<Self, BasketError> {
        let breaks = list(&field.get("breaks")?.items()?, |b| b.int(0, MAX_CENTS))?;
        let rates = field
            .get("rate_bp")?
            .items_of_len(breaks.len() + 1, "one more than `breaks`")?;
        let rate_bp = list(&rates, |r| r.int(0, 10_000))?;
        if !breaks.is_sorted_by(|a, b| a < b) {
            return Err(field.get("breaks")?.invalid("must ascend"));
        }
        if !rate_bp.is_sorted() {
            let problem = "must not descend: only a concave discount is supported";
            return Err(field.get("rate_bp")?.invalid(problem));
        }
        Ok(Self { breaks, rate_bp })
    }

    /// What is left to pay of `total`: the discount is floored to cents once.
    #[must_use]
    pub fn apply(&self, total: Cents) -> Cents {
        let mut off: i128 = 0;
        let mut low = 0;
        let ends = self.breaks.iter().copied().chain([i64::MAX]);
        for (end, rate) in ends.zip(&self.rate_bp) {
            off += i128::from((total.min(end) - low).max(0)) * i128::from(*rate);
            low = end;
            if total <= end {
                break;
            }
        }
        total - i64::try_from(off / 10_000).unwrap_or(0)
    }
}

/// Names to indices; a name used twice is an error.
fn index<'a>(fields: &[Field<'a>], what: &str) -> Result<HashMap<&'a str, usize>, BasketError> {
    let mut map = HashMap::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        let id = field.get("id")?;
        if map.insert(id.str()?, i).is_some() {
            return Err(id.invalid(format!("`{}` names two {what}", id.str()?)));
        }
    }
    Ok(map)
}

fn steps(
    field: &Field<'_>,
    from: &str,
    amount: &str,
    max_from: i64,
) -> Result<Vec<Step>, BasketError> {
    let steps = list(&field.items()?, |s| {
        Ok(Step {
            from: s.get(from)?.int(0, max_from)?,
            amount: s.get(amount)?.int(0, MAX_CENTS)?,
        })
    })?;
    if !steps.is_sorted_by(|a, b| a.from < b.from) {
        return Err(field.invalid(format!("`{from}` must ascend")));
    }
    Ok(steps)
}

impl Household {
    fn read<'a>(root: &Field<'a>) -> Result<Self, BasketError> {
        let sized = |key: &'static str| -> Result<Vec<Field<'a>>, BasketError> {
            let field = root.get(key)?;
            let items = field.items()?;
            if items.len() > MAX_ENTRIES {
                return Err(BasketError::TooLarge {
                    field: key.into(),
                    problem: format!("{} entries, at most {MAX_ENTRIES}", items.len()),
                });
            }
            Ok(items)
        };
        let (item_fields, shop_fields) = (sized("items")?, sized("shops")?);
        let (offer_fields, coupon_fields) = (sized("offers")?, sized("coupons")?);
        let item_index = index(&item_fields, "items")?;
        let shop_index = index(&shop_fields, "shops")?;
        let offer_index = index(&offer_fields, "offers")?;
        index(&coupon_fields, "coupons")?;
        let mut groups = HashMap::new();
        Ok(Self {
            items: list(&item_fields, |f| {
                Ok(Item {
                    id: text(f, "id")?,
                    qty: f.get("qty")?.int(1, MAX_UNITS)?,
                    unmet_penalty: f
                        .optional("unmet_penalty_cents")
                        .map(|p| p.int(0, MAX_CENTS))
                        .transpose()?,
                })
            })?,
            shops: list(&shop_fields, read_shop)?,
            offers: list(&offer_fields, |f| read_offer(f, &shop_index, &item_index))?,
            coupons: list(&coupon_fields, |f| {
                read_coupon(f, &shop_index, &offer_index, &mut groups)
            })?,
            limits: read_limits(&root.get("limits")?)?,
            overshoot: 0,
        })
    }

    /// Gives percentages without a cap the cap they have anyway, their share of everything
    /// in their scope, where together they could take off the price or more. The solver
    /// then counts them as amounts: as rates they would make every purchase a gain. Such
    /// an instance is answered without a proof.
    pub fn cap_percentages(&mut self) {
        let rate = |c: &Coupon| match (c.kind, c.cap) {
            (CouponKind::Percent(bp), None) => bp,
            _ => 0,
        };
        // The highest rate of each group of each shop.
        let mut highest: BTreeMap<(usize, usize), i64> = BTreeMap::new();
        for coupon in &self.coupons {
            let group = highest.entry((coupon.shop, coupon.group)).or_default();
            *group = rate(coupon).max(*group);
        }
        let mut together: BTreeMap<usize, (i64, Cents)> = BTreeMap::new();
        for ((shop, _), rate) in highest.into_iter().filter(|h| h.1 > 0) {
            let (rates, coupons) = together.entry(shop).or_default();
            *rates += rate;
            *coupons += 1;
        }
        // Several that take off just the price leave the cents that each is floored by.
        together.retain(|_, (rates, coupons)| *rates > 10_000 - i64::from(*coupons > 1));
        let offers = &self.offers;
        let share = |shop: usize, bp: i64, counts: &dyn Fn(usize) -> bool| {
            let here = offers.iter().enumerate().filter(|(o, _)| counts(*o));
            let all = here.filter(|(_, o)| o.shop == shop).map(|(_, o)| {
                let dearest = o.breaks.iter().map(|b| b.amount).max().unwrap_or(0);
                i128::from(dearest) * i128::from(o.max_qty)
            });
            Cents::try_from(all.sum::<i128>() * i128::from(bp) / 10_000).unwrap_or(Cents::MAX)
        };
        for (shop, (rates, coupons)) in &together {
            let over = share(*shop, rates - 10_000, &|_| true).saturating_add(*coupons);
            self.overshoot = self.overshoot.saturating_add(over);
        }
        for coupon in &mut self.coupons {
            if together.contains_key(&coupon.shop) && rate(coupon) > 0 {
                let cap = share(coupon.shop, rate(coupon), &|o| coupon.covers(o));
                coupon.cap = Some(cap);
            }
        }
    }

    /// The checks that need more than one field.
    ///
    /// # Errors
    /// [`BasketError`] naming the field.
    pub fn validate(&self) -> Result<(), BasketError> {
        let invalid = |field: String, problem: String| BasketError::Invalid { field, problem };
        for (i, coupon) in self.coupons.iter().enumerate() {
            for offer in coupon.offers.iter().flatten() {
                if self.offers[*offer].shop != coupon.shop {
                    let name = &self.offers[*offer].id;
                    return Err(invalid(
                        format!("coupons[{i}].offers"),
                        format!("offer `{name}` is of another shop than the coupon"),
                    ));
                }
            }
        }
        let mut supply = vec![0_i128; self.items.len()];
        let (mut total, mut weight): (i128, i128) = (0, 0);
        for offer in &self.offers {
            // Where the stock is less than one must buy, there is none.
            let stock = if offer.min_qty() <= offer.max_qty {
                offer.max_qty
            } else {
                0
            };
            for (item, units) in &offer.covers {
                supply[*item] += i128::from(*units) * i128::from(stock);
            }
            let dearest = offer.breaks.iter().map(|b| b.amount).max().unwrap_or(0);
            total += i128::from(dearest + offer.disutility) * i128::from(offer.max_qty);
            weight += i128::from(offer.weight_g) * i128::from(offer.max_qty);
        }
        if weight > MAX_TOTAL {
            return Err(invalid(
                "offers".into(),
                format!("weights overflow: everything together weighs {weight} g"),
            ));
        }
        for item in &self.items {
            total += i128::from(item.unmet_penalty.unwrap_or(0)) * i128::from(item.qty);
        }
        if total > MAX_TOTAL {
            return Err(invalid(
                "offers".into(),
                format!("prices overflow: everything together costs {total} cents"),
            ));
        }
        for (i, item) in self.items.iter().enumerate() {
            if item.unmet_penalty.is_some() {
                continue;
            }
            if supply[i] == 0 {
                let problem = format!("`{}` must be bought, but has no offer", item.id);
                return Err(invalid(format!("items[{i}]"), problem));
            }
            if supply[i] < i128::from(item.qty) {
                let problem = format!(
                    "{} units of `{}` must be bought, but all offers together have {}",
                    item.qty, item.id, supply[i]
                );
                return Err(invalid(format!("items[{i}].qty"), problem));
            }
            if self.limits.max_shops == Some(0) {
                let problem = format!("0 shops allowed, but `{}` must be bought", item.id);
                return Err(invalid("limits.max_shops".into(), problem));
            }
        }
        Ok(())
    }
}

fn read_shop(f: &Field<'_>) -> Result<Shop, BasketError> {
    let ship = f.get("ship")?;
    ship.only(&["tiers", "basis", "weight_tiers"])?;
    let tiers = ship.get("tiers")?;
    let steps_of_tiers = steps(&tiers, "min_spend", "fee", MAX_CENTS)?;
    if steps_of_tiers.first().is_none_or(|t| t.from != 0) {
        return Err(tiers.invalid("the first tier must start at `min_spend` 0"));
    }
    let basis = ship.get("basis")?;
    Ok(Shop {
        id: text(f, "id")?,
        tiers: steps_of_tiers,
        basis: match basis.str()? {
            "before_coupons" => Basis::BeforeCoupons,
            "after_coupons" => Basis::AfterCoupons,
            _ => return Err(basis.invalid("must be `before_coupons` or `after_coupons`")),
        },
        weight_tiers: match ship.optional("weight_tiers") {
            Some(w) => steps(&w, "over_g", "add", MAX_CENTS)?,
            None => Vec::new(),
        },
        pickup: match f.optional("pickup") {
            Some(p) => Some(Pickup {
                travel: p.get("travel_cents")?.int(0, MAX_CENTS)?,
                fee: p.get("fee")?.int(0, MAX_CENTS)?,
            }),
            None => None,
        },
        min_order: f.get("min_order")?.int(0, MAX_CENTS)?,
    })
}

fn read_offer(
    f: &Field<'_>,
    shops: &HashMap<&str, usize>,
    items: &HashMap<&str, usize>,
) -> Result<Offer, BasketError> {
    let covers = f.get("covers")?;
    let mut resolved = Vec::new();
    let mut seen = HashSet::new();
    for pair in covers.items()? {
        let parts = pair.items_of_len(2, "[item, units]")?;
        let item = parts[0].lookup(items, "item")?;
        let units = parts[1].int(1, MAX_UNITS)?;
        if !seen.insert(item) {
            return Err(parts[0].invalid("the item is listed twice"));
        }
        resolved.push((item, units));
    }
    if resolved.is_empty() {
        return Err(covers.invalid("the offer covers no item"));
    }
    let breaks = f.get("breaks")?;
    let steps = steps(&breaks, "min_qty", "unit", MAX_UNITS)?;
    let max_qty = f.get("max_qty")?;
    let stock = max_qty.int(0, MAX_UNITS)?;
    match steps.first() {
        None => return Err(breaks.invalid("the offer has no price")),
        Some(first) if first.from < 1 => {
            return Err(breaks.invalid("the first `min_qty` must be at least 1"));
        }
        Some(_) => {}
    }
    Ok(Offer {
        id: text(f, "id")?,
        shop: f.get("shop")?.lookup(shops, "shop")?,
        covers: resolved,
        breaks: steps,
        max_qty: stock,
        weight_g: f.get("weight_g")?.int(0, MAX_CENTS)?,
        disutility: f.get("disutility")?.int(0, MAX_CENTS)?,
    })
}

fn read_coupon(
    f: &Field<'_>,
    shops: &HashMap<&str, usize>,
    offers: &HashMap<&str, usize>,
    groups: &mut HashMap<Option<String>, usize>,
) -> Result<Coupon, BasketError> {
    f.only(&[
        "id",
        "shop",
        "kind",
        "value",
        "min_spend",
        "cap",
        "offers",
        "group",
    ])?;
    let own = f.get("id")?;
    let scope = match f.optional("offers") {
        None => None,
        Some(field) => {
            let mut scope = Vec::new();
            for entry in field.items()? {
                if entry.str()? == own.str()? && !offers.contains_key(own.str()?) {
                    return Err(entry.invalid("the coupon refers to itself"));
                }
                scope.push(entry.lookup(offers, "offer")?);
            }
            scope.sort_unstable();
            scope.dedup();
            Some(scope)
        }
    };
    let kind = f.get("kind")?;
    // All coupons without a group share one, as in the evaluator.
    let group = match f.optional("group") {
        Some(g) => Some(g.str()?.to_owned()),
        None => None,
    };
    let next = groups.len();
    Ok(Coupon {
        id: own.str()?.to_owned(),
        shop: f.get("shop")?.lookup(shops, "shop")?,
        kind: match kind.str()? {
            "percent" => CouponKind::Percent(f.get("value")?.int(0, 10_000)?),
            "fixed" => CouponKind::Fixed(f.get("value")?.int(0, MAX_CENTS)?),
            _ => return Err(kind.invalid("must be `percent` or `fixed`")),
        },
        min_spend: f.get("min_spend")?.int(0, MAX_CENTS)?,
        offers: scope,
        cap: f.optional("cap").map(|c| c.int(0, MAX_CENTS)).transpose()?,
        group: *groups.entry(group).or_insert(next),
    })
}

const LIMITS: [&str; 4] = ["max_shops", "max_pickups", "budget", "per_shop_hassle"];

fn read_limits(f: &Field<'_>) -> Result<Limits, BasketError> {
    f.only(&LIMITS)?;
    let count = |key: &str| -> Result<Option<usize>, BasketError> {
        let value = f.optional(key).map(|v| v.int(0, MAX_UNITS)).transpose()?;
        Ok(value.and_then(|v| usize::try_from(v).ok()))
    };
    Ok(Limits {
        max_shops: count("max_shops")?,
        max_pickups: count("max_pickups")?,
        budget: f
            .optional("budget")
            .map(|b| b.int(0, MAX_CENTS))
            .transpose()?,
        per_shop_hassle: f
            .optional("per_shop_hassle")
            .map(|h| h.int(0, MAX_CENTS))
            .transpose()?
            .unwrap_or(0),
    })
}
