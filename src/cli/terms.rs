//! `emptor shop terms`, `shop coupon` and `shop price`: what the person knows of a shop and
//! its pages do not say.

use super::client::encode;
use super::context::{Context, Result};
use super::format::day;
use crate::agent::api::types::{
    Done, EditTerms, KnownCoupon, NewCoupon, NewPrice, NotedPrice, Pieces, TermsView, TryCoupon,
};
use crate::model::terms::{Break, Gives, Surcharge, Tier};
use crate::model::time::Date;
use crate::model::{Money, Place};
use clap::{Args, Subcommand};

/// `emptor shop terms`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor shop terms shop.example                                     what is known
  emptor shop terms shop.example --ship '4.90 EUR' --free-from '49 EUR'
  emptor shop terms shop.example --tier '25 EUR:2.90 EUR' --heavy '20 kg:6 EUR'
  emptor shop terms corner.example --fetch-only --place 45.8131,15.9772

What you tell here counts instead of what the shop's pages say. What is not given stays.")]
pub struct Terms {
    /// The shop's domain
    shop: String,
    /// What one delivery costs
    #[arg(long, value_name = "MONEY")]
    ship: Option<Money>,
    /// Another fee from an order value on, as 'MONEY:MONEY'; may be given again
    #[arg(long, value_name = "FROM:FEE")]
    tier: Vec<Tier>,
    /// Delivery is free from this order value on
    #[arg(long, value_name = "MONEY")]
    free_from: Option<Money>,
    /// The order value counts before coupons; otherwise what is left after them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    before_coupons: Option<bool>,
    /// What is added over a weight, as '5 kg:3 EUR'; may be given again
    #[arg(long, value_name = "WEIGHT:MONEY")]
    heavy: Vec<Surcharge>,
    /// The least order value
    #[arg(long, value_name = "MONEY")]
    min_order: Option<Money>,
    /// Nothing is sent: the goods must be fetched
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    fetch_only: Option<bool>,
    /// Where the goods can be fetched: latitude and longitude
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    place: Option<Place>,
    /// What the way there and back costs, if not to be counted by the distance
    #[arg(long, value_name = "MONEY")]
    travel: Option<Money>,
    /// What the shop asks for having the goods ready
    #[arg(long, value_name = "MONEY")]
    pickup_fee: Option<Money>,
    /// Forget first what was told of delivery and fetching
    #[arg(long)]
    forget: bool,
}

/// `emptor shop coupon`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor shop coupon add shop.example SPRING 10% --min '40 EUR' --cap '8 EUR' --until 2027-03-31
  emptor shop coupon add shop.example TEA5 '5 EUR' --for tea --group extra
  emptor shop coupon list shop.example
  emptor shop coupon rm shop.example SPRING

One order takes one coupon of a group; coupons without --group are one group. A coupon that
has expired never counts. `emptor offers` counts them for one want, `emptor basket` for a list.")]
pub enum Coupon {
    /// Remember a coupon
    Add(CouponAdd),
    /// The coupons of a shop
    #[command(alias = "ls")]
    List {
        /// The shop's domain
        shop: String,
    },
    /// Forget a coupon
    Rm {
        /// The shop's domain
        shop: String,
        /// Its code
        code: String,
    },
}

/// `emptor shop coupon add`
#[derive(Args, Debug)]
pub struct CouponAdd {
    /// The shop's domain
    shop: String,
    /// What is typed at the checkout
    code: String,
    /// What it takes off: 10% or '5 EUR'
    gives: Gives,
    /// The least value of the goods it counts for
    #[arg(long, value_name = "MONEY")]
    min: Option<Money>,
    /// The most it takes off
    #[arg(long, value_name = "MONEY")]
    cap: Option<Money>,
    /// Only for this want; may be given again
    #[arg(long = "for", value_name = "WANT")]
    wants: Vec<String>,
    /// Its group: one order takes one coupon of each group
    #[arg(long)]
    group: Option<String>,
    /// The last day it is good for (YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<Date>,
}

/// `emptor shop price`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor shop price add shop.example tea --price '3 EUR' --from '3:2.50 EUR'   less each from 3 on
  emptor shop price add shop.example milk:6 --price '5.40 EUR'                 a pack of six
  emptor shop price add shop.example tea mug --price '9 EUR' --name 'Gift set' a bundle
  emptor shop price list shop.example
  emptor shop price rm shop.example 1a2b3c4d

A noted price is an offer of that shop in `emptor offers`, `emptor wish list` and `emptor basket`
until its last day, or for 90 days where none is given. It is never an alert.")]
pub enum Price {
    /// Note a price
    Add(PriceAdd),
    /// The noted prices of a shop
    #[command(alias = "ls")]
    List {
        /// The shop's domain
        shop: String,
    },
    /// Forget a noted price
    Rm {
        /// The shop's domain
        shop: String,
        /// Its id
        price: String,
    },
}

/// `emptor shop price add`
#[derive(Args, Debug)]
pub struct PriceAdd {
    /// The shop's domain
    shop: String,
    /// What is in it: WANT, or WANT:N for N pieces; several make a bundle
    #[arg(required = true, value_name = "WANT[:N]")]
    wants: Vec<String>,
    /// What one costs
    #[arg(long, value_name = "MONEY")]
    price: Money,
    /// What each costs from a number on, as '3:2.50 EUR'; may be given again
    #[arg(long = "from", value_name = "N:MONEY")]
    breaks: Vec<Break>,
    /// The most that can be bought
    #[arg(long, value_name = "N")]
    most: Option<u32>,
    /// What it is called in the shop
    #[arg(long)]
    name: Option<String>,
    /// Where it is sold
    #[arg(long)]
    url: Option<String>,
    /// The last day it holds (YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<Date>,
}

fn path(shop: &str, rest: &str) -> String {
    format!("/v1/shops/{}/{rest}", encode(shop))
}

/// Runs `emptor shop terms`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn terms(cx: &mut Context, args: Terms) -> Result {
    let path = path(&args.shop, "terms");
    let edit = EditTerms {
        fee: args.ship,
        tiers: args.tier,
        free_from: args.free_from,
        before_coupons: args.before_coupons,
        surcharges: args.heavy,
        min_order: args.min_order,
        fetch_only: args.fetch_only,
        place: args.place,
        travel: args.travel,
        pickup_fee: args.pickup_fee,
        forget: args.forget,
    };
    let view: TermsView = if edit == EditTerms::default() {
        cx.get(&path).await?
    } else {
        cx.post(&path, &edit).await?
    };
    cx.show(&view, |cx, v| {
        cx.line(&cx.bold(&v.shop));
        print_terms(cx, v);
        v.coupons.iter().for_each(|c| print_coupon(cx, c));
        v.prices.iter().for_each(|p| print_price(cx, p));
    })
}

/// Runs `emptor shop coupon`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn coupon(cx: &mut Context, verb: Coupon) -> Result {
    let coupons = match verb {
        Coupon::Add(args) => {
            let path = path(&args.shop, "coupons");
            let new = NewCoupon {
                code: args.code,
                gives: args.gives,
                min_spend: args.min,
                cap: args.cap,
                wants: args.wants,
                group: args.group,
                until: args.until,
            };
            cx.post::<TermsView>(&path, &new).await?.coupons
        }
        Coupon::List { shop } => cx.get::<TermsView>(&path(&shop, "terms")).await?.coupons,
        Coupon::Rm { shop, code } => {
            let path = path(&shop, &format!("coupons/{}", encode(&code)));
            let done: Done = cx.delete(&path).await?;
            return cx.show(&done, |cx, d| cx.line(&d.done));
        }
    };
    cx.show(&coupons, |cx, all| {
        if all.is_empty() {
            cx.line("No coupons. `emptor shop coupon add` remembers one.");
        }
        all.iter().for_each(|c| print_coupon(cx, c));
    })
}

/// Runs `emptor shop price`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn price(cx: &mut Context, verb: Price) -> Result {
    let prices = match verb {
        Price::Add(args) => {
            let path = path(&args.shop, "prices");
            let new = NewPrice {
                name: args.name,
                covers: args.wants.iter().map(|w| pieces(w)).collect(),
                price: args.price,
                breaks: args.breaks,
                most: args.most,
                url: args.url,
                until: args.until,
            };
            cx.post::<TermsView>(&path, &new).await?.prices
        }
        Price::List { shop } => cx.get::<TermsView>(&path(&shop, "terms")).await?.prices,
        Price::Rm { shop, price } => {
            let path = path(&shop, &format!("prices/{}", encode(&price)));
            let done: Done = cx.delete(&path).await?;
            return cx.show(&done, |cx, d| cx.line(&d.done));
        }
    };
    cx.show(&prices, |cx, all| {
        if all.is_empty() {
            cx.line("No noted prices. `emptor shop price add` notes one.");
        }
        all.iter().for_each(|p| print_price(cx, p));
    })
}

/// Reads `WANT` or `WANT:N`.
fn pieces(text: &str) -> Pieces {
    let counted = text
        .rsplit_once(':')
        .and_then(|(want, n)| Some((want, n.trim().parse::<u32>().ok()?)));
    let (want, pieces) = counted.unwrap_or((text, 1));
    Pieces {
        want: want.to_owned(),
        name: String::new(),
        pieces,
    }
}

fn print_terms(cx: &Context, v: &TermsView) {
    let money = |m: &Money| cx.locale.money(m);
    let t = &v.terms;
    if t.fetch_only {
        cx.line("  nothing is sent");
    } else if t.says_delivery() {
        let fee = t.fee.as_ref().map_or_else(|| "?".to_owned(), money);
        let mut steps = vec![format!("delivery {fee}")];
        let tier = |t: &Tier| format!("{} from {}", money(&t.fee), money(&t.from));
        steps.extend(t.tiers.iter().map(tier));
        steps.extend(
            t.free_from
                .iter()
                .map(|m| format!("free from {}", money(m))),
        );
        let basis = if t.before_coupons { "before" } else { "after" };
        cx.line(&format!("  {} ({basis} coupons)", steps.join(", ")));
    } else {
        cx.line("  delivery: as its pages say");
    }
    for s in &t.surcharges {
        cx.line(&format!("  {} more over {} g", money(&s.add), s.over_g));
    }
    if let Some(least) = &t.min_order {
        cx.line(&format!("  orders from {} on", money(least)));
    }
    if let Some(fee) = &t.pickup_fee {
        cx.line(&format!("  {} for having it ready", money(fee)));
    }
    match (&v.trip, &t.place) {
        (Some(trip), _) => {
            let place = t.place.map(|p| format!(" to {p}")).unwrap_or_default();
            cx.line(&format!(
                "  the trip{place} costs {} ({})",
                money(&trip.cost),
                trip.source
            ));
        }
        (None, Some(place)) => cx.line(&format!(
            "  can be fetched at {place}; set `home` under [places] to count the way"
        )),
        (None, None) => {}
    }
}

fn print_coupon(cx: &Context, c: &KnownCoupon) {
    let money = |m: &Money| cx.locale.money(m);
    let gives = match &c.gives {
        Gives::Fixed(amount) => money(amount),
        percent => percent.to_string(),
    };
    let mut line = format!("  coupon {}: {gives} off", cx.bold(&c.code));
    if let Some(min) = &c.min_spend {
        line += &format!(" from {}", money(min));
    }
    if let Some(cap) = &c.cap {
        line += &format!(", at most {}", money(cap));
    }
    if !c.wants.is_empty() {
        let names: Vec<&str> = c.wants.iter().map(|w| w.name.as_str()).collect();
        line += &format!(", for {}", names.join(", "));
    }
    if let Some(group) = &c.group {
        line += &format!(", group {group}");
    }
    if let Some(until) = c.until {
        line += &format!(", until {}", cx.locale.day(until));
    }
    cx.line(&if c.expired {
        cx.yellow(&format!("{line} (expired: does not count)"))
    } else {
        line
    });
}

fn print_price(cx: &Context, p: &NotedPrice) {
    let money = |m: &Money| cx.locale.money(m);
    let covers: Vec<String> = p
        .covers
        .iter()
        .map(|c| format!("{} x {}", c.pieces, c.name))
        .collect();
    let mut line = format!(
        "  {}: {}  {}",
        cx.bold(&p.name),
        money(&p.price),
        covers.join(" + ")
    );
    for b in &p.breaks {
        line += &format!(", {} each from {} on", money(&b.price), b.from);
    }
    if let Some(most) = p.most {
        line += &format!(", at most {most}");
    }
    line += &format!(", noted {}", cx.locale.day(p.noted));
    if let Some(until) = p.until {
        line += &format!(", until {}", cx.locale.day(until));
    }
    let id = cx.dim(&format!("[{}]", p.id));
    cx.line(&if p.expired {
        cx.yellow(&format!("{line} (expired: does not count)  {id}"))
    } else {
        format!("{line}  {id}")
    });
    if let Some(url) = &p.url {
        cx.line(&cx.dim(&format!("      {url}")));
    }
}

/// Reads `SHOP 10% min 40 EUR cap 8 EUR`: a coupon to try.
///
/// # Errors
/// What to write.
pub fn tried(text: &str) -> std::result::Result<TryCoupon, String> {
    let usage = || {
        format!(
            "`{text}` is not a coupon; write for example 'shop.example 10% min 40 EUR cap 8 EUR'"
        )
    };
    let (shop, rest) = text
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(usage)?;
    let mut words = rest.split_whitespace().peekable();
    // The words up to the next keyword.
    let mut part = || {
        let mut part: Vec<&str> = Vec::new();
        while let Some(word) = words.next_if(|w| !matches!(*w, "min" | "cap")) {
            part.push(word);
        }
        (part.join(" "), words.next())
    };
    let (gives, mut key) = part();
    let gives: Gives = gives.parse().map_err(|_| usage())?;
    let (mut min_spend, mut cap) = (None, None);
    while let Some(word) = key {
        let (amount, next) = part();
        let money: Money = amount.parse().map_err(|_| usage())?;
        let field = if word == "min" {
            &mut min_spend
        } else {
            &mut cap
        };
        if field.replace(money).is_some() {
            return Err(usage());
        }
        key = next;
    }
    Ok(TryCoupon {
        shop: shop.trim_end_matches(':').to_ascii_lowercase(),
        gives,
        min_spend,
        cap,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_the_want() {
        let read = |text| (pieces(text).want, pieces(text).pieces);
        assert_eq!(read("milk:6"), ("milk".to_owned(), 6));
        assert_eq!(read("milk"), ("milk".to_owned(), 1));
        assert_eq!(read("model: x"), ("model: x".to_owned(), 1));
    }

    #[test]
    fn a_coupon_to_try_is_one_line() {
        let money = |text: &str| text.parse::<Money>().ok();
        let all = tried("Shop.example:8080 10% min 40 EUR cap 8 EUR").expect("a coupon");
        assert_eq!(all.shop, "shop.example:8080");
        assert_eq!(all.gives, Gives::Percent(1000));
        assert_eq!((all.min_spend, all.cap), (money("40 EUR"), money("8 EUR")));
        let fixed = tried("shop.example 5 EUR").expect("a coupon");
        assert_eq!(money("5 EUR").map(Gives::Fixed), Some(fixed.gives));
        for bad in [
            "",
            "10%",
            "shop.example",
            "shop.example ten",
            "shop.example 10% min",
            "shop.example 10% min 1 EUR min 2 EUR",
            "shop.example 10% 5 EUR",
        ] {
            assert!(tried(bad).is_err(), "{bad}");
        }
    }
}
