//! `emptor add`, `emptor wish`, `emptor list`: what the person wants.

use super::client::encode;
use super::context::{CliError, Context, Result};
use super::crawl;
use super::format::{count, day};
use super::{alerts, offers, plan, tune};
use crate::agent::api::types::{
    CrawlRequest, Done, EditWant, ListView, NewWant, ShopView, SnoozeList, WantView,
};
use crate::model::Money;
use crate::model::time::{Date, Timestamp};
use crate::model::want::{Preference, Requirement, WantKind, WantStatus};
use clap::{Args, Subcommand, ValueEnum};
use std::cmp::Reverse;

/// Options that describe a want.
#[derive(Args, Clone, Debug, Default)]
pub struct Details {
    /// The most you would pay for one, delivered: stays in your vault
    #[arg(long, value_name = "MONEY")]
    max: Option<Money>,
    /// When you need it (YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = day)]
    need_by: Option<Date>,
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    qty: Option<u32>,
    /// A condition an offer must meet: brand=Bosch, condition=new, delivery<=3, name~red, stock=yes
    #[arg(long, value_name = "CONDITION")]
    must: Vec<Requirement>,
    /// A condition and what it is worth to you: delivery<=2:4.50
    #[arg(long, value_name = "CONDITION:AMOUNT")]
    prefer: Vec<Preference>,
    /// How strongly you want it, 0 to 100: stays in your vault
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    intensity: Option<u8>,
    /// The list it is on
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// The name shown
    #[arg(long)]
    name: Option<String>,
    /// A note for yourself
    #[arg(long)]
    note: Option<String>,
}

/// `emptor add`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor add https://shop.example/p/drill-12v --max '120 EUR'
  emptor add 'Bosch GSR 12V-15' --must condition=new --need-by 2030-12-20
  emptor add 4006381333931 --qty 3 --list groceries --shopping")]
pub struct Add {
    /// A product page, a barcode number (GTIN), or the name of a thing
    #[arg(required = true)]
    input: Vec<String>,
    /// To be bought now, on a shopping list, instead of a wish
    #[arg(long)]
    shopping: bool,
    /// Do not read the page now
    #[arg(long)]
    no_crawl: bool,
    #[command(flatten)]
    details: Details,
}

/// The verbs of `emptor wish` and `emptor list`.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Add one
    Add(Box<Add>),
    /// Show all
    #[command(alias = "ls")]
    List {
        /// Only this list
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
        /// Also what is fulfilled, dropped or snoozed
        #[arg(long)]
        all: bool,
        /// The order within a list
        #[arg(long, value_enum, default_value = "age")]
        sort: Sort,
    },
    /// Show one with its best offers
    Show {
        /// Its id or part of its name
        want: String,
    },
    /// Change one
    Edit(Box<Edit>),
    /// Look no more until a date
    Snooze {
        /// Its id or part of its name
        #[arg(required_unless_present = "list", conflicts_with = "list")]
        want: Option<String>,
        /// A list: what is on it is still looked for, but not told as a whole
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
        /// Until (YYYY-MM-DD)
        #[arg(long, value_name = "DATE", value_parser = day)]
        until: Date,
    },
    /// Say again that it is wanted: a wish that fades is ripe again, a snooze ends
    Keep {
        /// Its id or part of its name
        #[arg(required_unless_present = "list", conflicts_with = "list")]
        want: Option<String>,
        /// A list whose snooze ends
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
    },
    /// Give one up, but keep it in the list
    Drop {
        /// Its id or part of its name
        want: String,
    },
    /// Find out what its preferences are worth to you, by a few comparisons
    Tune {
        /// Its id or part of its name
        want: String,
        /// Answer the next question, for scripts; may be given several times
        #[arg(long, value_enum)]
        answer: Vec<tune::Reply>,
    },
    /// What wishes cost against a budget: planned, not spent
    Plan {
        /// The budget; else `[wishes] budget` of the configuration
        #[arg(long, value_name = "MONEY")]
        budget: Option<Money>,
        /// Only this list
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
    },
    /// Bought or had
    Done {
        /// Its id or part of its name
        want: String,
    },
    /// Remove one
    Rm {
        /// Its id or part of its name
        want: String,
    },
}

/// How wants are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The most lastingly wanted first
    Intensity,
    /// The cheapest first, delivered; without a price last
    Price,
    /// The oldest first
    Age,
}

/// `emptor wish edit`
#[derive(Args, Debug)]
pub struct Edit {
    /// Its id or part of its name
    want: String,
    #[command(flatten)]
    details: Details,
    /// No limit
    #[arg(long, conflicts_with = "max")]
    no_max: bool,
    /// No date
    #[arg(long, conflicts_with = "need_by")]
    no_need_by: bool,
    /// No conditions
    #[arg(long, conflicts_with = "must")]
    no_must: bool,
    /// No preferences
    #[arg(long, conflicts_with = "prefer")]
    no_prefer: bool,
    /// Read this page for it, too
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Runs `emptor add`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn add(cx: &mut Context, args: Add, kind: Option<WantKind>) -> Result {
    let d = args.details;
    let kind = kind.or(args.shopping.then_some(WantKind::Shopping));
    let new = NewWant {
        input: args.input.join(" "),
        name: d.name,
        kind,
        list: d.list,
        quantity: d.qty,
        limit: d.max,
        need_by: d.need_by,
        must: d.must,
        prefer: d.prefer,
        intensity: d.intensity,
        note: d.note,
    };
    let mut view: WantView = cx.post("/v1/wants", &new).await?;
    let again = view.again.clone();
    if !args.no_crawl {
        let request = CrawlRequest {
            want: Some(view.short.clone()),
            shop: None,
            now: true,
        };
        crawl::run_quietly(cx, &request).await?;
        view = cx.get(&format!("/v1/wants/{}", view.short)).await?;
        view.again = again;
    }
    let shops: Vec<ShopView> = match view.best {
        None if !cx.global.json => cx.get("/v1/shops").await?,
        _ => Vec::new(),
    };
    let shops = shops.len();
    cx.show(&view, |cx, v| {
        cx.line(&format!(
            "Added {} {}",
            cx.bold(&v.want.counted()),
            cx.dim(&format!("[{}]", v.short))
        ));
        for other in &v.again {
            cx.line(&cx.yellow(&format!("  You wanted this already, as [{other}]: `emptor wish rm {other}` removes that one.")));
        }
        match &v.best {
            Some(best) => cx.line(&format!("  {}", offers::one_line(cx, best))),
            None if v.why.is_some() => {
                let why = v.why.as_deref().unwrap_or_default();
                cx.line(&format!("  No price yet: {why}"));
            }
            None if !v.want.urls.is_empty() => {
                cx.line("  No price yet: `emptor offers` says why.");
            }
            None if args.no_crawl => cx.line(
                "  Not looked for yet: that happens when it is due, or now by `emptor crawl --now`.",
            ),
            None if shops == 0 => {
                cx.line("  No offer yet. Follow shops with `emptor shop add DOMAIN`.");
            }
            None => {
                let of = count(shops, "followed shop");
                cx.line(&format!("  No offer yet in {of}. Follow more, or note a price you know: `emptor shop price add SHOP WANT --price MONEY`."));
            }
        }
    })
}

/// Runs a verb on wishes or shopping items; without one, lists them.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, verb: Option<Verb>, kind: WantKind) -> Result {
    let verb = verb.unwrap_or(Verb::List {
        list: None,
        all: false,
        sort: Sort::Age,
    });
    match verb {
        Verb::Add(args) => add(cx, *args, Some(kind)).await,
        Verb::List { list, all, sort } => {
            let wants: Vec<WantView> = cx.get("/v1/wants").await?;
            let mut wants: Vec<WantView> = wants
                .into_iter()
                .filter(|w| w.want.kind == kind)
                .filter(|w| {
                    list.as_ref()
                        .is_none_or(|l| w.want.list.eq_ignore_ascii_case(l))
                })
                .filter(|w| all || w.want.status == WantStatus::Open)
                .collect();
            sort_wants(&mut wants, sort);
            cx.show(&wants, |cx, wants| print_list(cx, wants))
        }
        Verb::Keep { want, list } => {
            let Some(want) = want else {
                return snooze_list(cx, list, None).await;
            };
            let edit = EditWant {
                renew: true,
                status: Some(WantStatus::Open),
                ..EditWant::default()
            };
            change(cx, &want, edit).await
        }
        Verb::Drop { want } => {
            let edit = EditWant {
                status: Some(WantStatus::Dropped),
                ..EditWant::default()
            };
            change(cx, &want, edit).await
        }
        Verb::Tune { want, answer } => tune::run(cx, &want, &answer).await,
        Verb::Plan { budget, list } => plan::run(cx, budget, list).await,
        Verb::Show { want } => {
            let view: WantView = cx.get(&format!("/v1/wants/{}", encode(&want))).await?;
            cx.show(&view, print_one)
        }
        Verb::Edit(e) => edit(cx, *e).await,
        Verb::Snooze { want, list, until } => {
            let until = until
                .at(0, 0, 0, 0)
                .to_zoned(cx.zone.clone())
                .map_err(|e| CliError::usage(e.to_string()))?
                .timestamp();
            match want {
                Some(want) => change(cx, &want, snoozed(until)).await,
                None => snooze_list(cx, list, Some(until)).await,
            }
        }
        Verb::Done { want } => {
            let edit = EditWant {
                status: Some(WantStatus::Fulfilled),
                ..EditWant::default()
            };
            change(cx, &want, edit).await
        }
        Verb::Rm { want } => {
            let done: Done = cx.delete(&format!("/v1/wants/{}", encode(&want))).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}

fn sort_wants(wants: &mut [WantView], sort: Sort) {
    match sort {
        Sort::Age => wants.sort_by_key(|w| w.want.added),
        Sort::Price => wants.sort_by_key(|w| {
            let cost = w.best.as_ref().and_then(|b| b.landed.as_ref());
            (cost.is_none(), cost.map(|c| c.mid.amount))
        }),
        // Intensities are tenths.
        Sort::Intensity => wants.sort_by_key(|w| {
            Reverse(
                w.life
                    .map(|l| (l.stage, (l.intensity * 10.0).round() as i64)),
            )
        }),
    }
}

/// Silences what a list costs as a whole until a time, or no longer.
async fn snooze_list(cx: &mut Context, list: Option<String>, until: Option<Timestamp>) -> Result {
    let path = format!("/v1/lists/{}", encode(&list.unwrap_or_default()));
    let view: ListView = cx.post(&path, &SnoozeList { until }).await?;
    cx.show(&view, alerts::print_list)
}

fn snoozed(until: Timestamp) -> EditWant {
    EditWant {
        status: Some(WantStatus::Snoozed),
        snoozed_until: Some(until),
        ..EditWant::default()
    }
}

async fn edit(cx: &mut Context, e: Edit) -> Result {
    let d = e.details;
    let edit = EditWant {
        name: d.name,
        list: d.list,
        quantity: d.qty,
        limit: d.max,
        no_limit: e.no_max,
        need_by: d.need_by,
        no_need_by: e.no_need_by,
        must: (e.no_must || !d.must.is_empty()).then_some(d.must),
        prefer: (e.no_prefer || !d.prefer.is_empty()).then_some(d.prefer),
        intensity: d.intensity,
        add_url: e.url,
        note: d.note,
        ..EditWant::default()
    };
    if edit == EditWant::default() {
        return Err(CliError::usage("nothing to change")
            .hint("see `emptor wish edit --help` for what can be changed"));
    }
    change(cx, &e.want, edit).await
}

async fn change(cx: &mut Context, want: &str, edit: EditWant) -> Result {
    let view: WantView = cx
        .post(&format!("/v1/wants/{}", encode(want)), &edit)
        .await?;
    cx.show(&view, print_one)
}

fn print_list(cx: &Context, wants: &[WantView]) {
    if wants.is_empty() {
        cx.line("Nothing here. Add something with `emptor add`.");
        return;
    }
    let mut lists: Vec<&str> = wants.iter().map(|w| w.want.list.as_str()).collect();
    lists.sort_unstable();
    lists.dedup();
    for list in lists {
        cx.line(&cx.bold(list));
        for w in wants.iter().filter(|w| w.want.list == list) {
            let status = match w.want.status {
                WantStatus::Open => String::new(),
                other => cx.yellow(&format!(" ({})", format!("{other:?}").to_lowercase())),
            };
            let ask = match w.maybe {
                0 => String::new(),
                n => cx.yellow(&format!("  {n} to confirm")),
            };
            let id = cx.dim(&format!("[{}]", w.short));
            let life = match &w.life {
                Some(life) if w.want.status == WantStatus::Open => {
                    cx.dim(&format!("  {}", plan::stage(cx, life)))
                }
                _ => String::new(),
            };
            cx.line(&format!("  {}{status}  {id}{life}{ask}", w.want.counted()));
            match &w.best {
                Some(best) => cx.line(&format!("      {}", offers::one_line(cx, best))),
                None => {
                    let why = w.why.as_deref().unwrap_or("no offer yet");
                    cx.line(&cx.dim(&format!("      {why}")));
                }
            }
        }
    }
}

fn print_one(cx: &Context, view: &WantView) {
    let w = &view.want;
    cx.line(&format!(
        "{}  {}",
        cx.bold(&w.name),
        cx.dim(&format!("[{}]", view.short))
    ));
    let row = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            cx.line(&format!("  {label:<11} {value}"));
        }
    };
    row(
        "list",
        Some(format!(
            "{} ({})",
            w.list,
            format!("{:?}", w.kind).to_lowercase()
        )),
    );
    row("status", Some(format!("{:?}", w.status).to_lowercase()));
    row("quantity", (w.quantity > 1).then(|| w.quantity.to_string()));
    row("limit", w.limit.map(|m| cx.locale.money(&m)));
    row("need by", w.need_by.map(|d| cx.locale.day(d)));
    row("brand", w.brand.clone());
    row("GTIN", w.gtin.map(|g| g.to_string()));
    row("part no.", w.mpn.clone());
    for m in &w.must {
        row("must", Some(m.to_string()));
    }
    for p in &w.prefer {
        row(
            "prefer",
            Some(format!(
                "{} (worth {})",
                p.requirement,
                cx.locale.money(&Money::new(p.worth, cx.home))
            )),
        );
    }
    row("intensity", Some(w.intensity.to_string()));
    row("wish", view.life.as_ref().map(|l| plan::stage(cx, l)));
    for url in &w.urls {
        row("page", Some(url.clone()));
    }
    row("note", w.note.clone());
    row(
        "offers",
        Some(format!("{} known, {} to confirm", view.offers, view.maybe)),
    );
    row("best", view.best.as_ref().map(|o| offers::one_line(cx, o)));
    row("no price", view.why.clone());
}
