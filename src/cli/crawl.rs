//! `emptor crawl` and `emptor shop`: reading the market.

use super::client::encode;
use super::context::{Context, Result};
use super::format::{ago, count};
use super::offers::print_blind;
use super::terms;
use crate::agent::api::types::{CrawlProgress, CrawlRequest, CrawlResult, Done, NewShop, ShopView};
use crate::model::Money;
use crate::model::time::Timestamp;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// `emptor crawl`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor crawl                      read what is due
  emptor crawl --now                read everything now, one page a shop at a time
  emptor crawl --shop shop.example --now")]
pub struct Crawl {
    /// Only this shop
    #[arg(long)]
    shop: Option<String>,
    /// Only for this want
    #[arg(long)]
    want: Option<String>,
    /// Also what is not due yet
    #[arg(long)]
    now: bool,
}

/// `emptor shop`
#[derive(Subcommand, Debug)]
pub enum Shop {
    /// Follow a shop
    Add {
        /// Its domain or any of its addresses
        input: String,
        /// The name shown
        #[arg(long)]
        name: Option<String>,
        /// Read it with this adapter
        #[arg(long, value_name = "ID")]
        adapter: Option<String>,
        /// What one delivery costs there
        #[arg(long, value_name = "MONEY")]
        delivery: Option<Money>,
        /// Delivery is free from this order value on
        #[arg(long, value_name = "MONEY")]
        free_from: Option<Money>,
    },
    /// All followed shops and how reading them goes
    #[command(alias = "ls")]
    List,
    /// Read its pages now and say what comes of it
    Test {
        /// Its domain
        domain: String,
    },
    /// What it takes for an order, where its pages do not say
    Terms(Box<terms::Terms>),
    /// Its coupons
    #[command(subcommand)]
    Coupon(terms::Coupon),
    /// Prices you noted: packs, prices that fall with the number, bundles
    #[command(subcommand)]
    Price(terms::Price),
    /// Follow it no more; its history stays
    Rm {
        /// Its domain
        domain: String,
    },
}

/// Runs `emptor crawl`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, args: Crawl) -> Result {
    let request = CrawlRequest {
        shop: args.shop,
        want: args.want,
        now: args.now,
    };
    let progress = run_quietly(cx, &request).await?;
    cx.show(&progress, |cx, p| {
        if p.results.is_empty() {
            cx.line(if request.now {
                "Nothing to read. Pages come with `emptor add URL`, searches with `emptor shop add DOMAIN`."
            } else {
                "Nothing is due. `emptor crawl --now` reads everything now."
            });
        }
        for r in &p.results {
            cx.line(&result_line(cx, r));
        }
    })
}

/// One page of a crawl on one line.
#[must_use]
pub fn result_line(cx: &Context, r: &CrawlResult) -> String {
    let what = match (&r.price, &r.reason) {
        (Some(price), _) => cx.green(&cx.locale.money(price)),
        (None, Some(reason)) => cx.yellow(&format!("{}: {reason}", r.verdict)),
        (None, None) => cx.yellow(&r.verdict),
    };
    // The reason may name the page already.
    let is_named = r.reason.as_ref().is_some_and(|why| why.contains(&r.url));
    let title = match &r.title {
        Some(title) => title.as_str(),
        None if is_named => return format!("  {:<28} {what}", r.shop),
        None => &r.url,
    };
    format!("  {:<28} {what}  {}", r.shop, cx.dim(title))
}

/// Starts a crawl and waits for its end, with a progress bar on a terminal.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run_quietly(cx: &mut Context, request: &CrawlRequest) -> Result<CrawlProgress> {
    let mut progress: CrawlProgress = cx.post("/v1/crawl", request).await?;
    let bar = if std::io::stderr().is_terminal() && !progress.finished {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} pages  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(progress.total as u64).with_style(style)
    } else {
        ProgressBar::hidden()
    };
    let mut pause = Duration::from_millis(20);
    while !progress.finished {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(400));
        progress = cx.get(&format!("/v1/crawl/{}", progress.run)).await?;
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        if let Some(last) = progress.results.last() {
            bar.set_message(last.shop.clone());
        }
    }
    bar.finish_and_clear();
    Ok(progress)
}

/// Runs `emptor shop`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn shop(cx: &mut Context, verb: Shop) -> Result {
    match verb {
        Shop::Add {
            input,
            name,
            adapter,
            delivery,
            free_from,
        } => {
            let new = NewShop {
                input,
                name,
                adapter,
                delivery_fee: delivery,
                free_from,
            };
            let shop: ShopView = cx.post("/v1/shops", &new).await?;
            cx.show(&shop, |cx, s| {
                let adapter = s.adapter.as_deref().unwrap_or("the generic reader");
                let search = if s.searchable {
                    "It can be searched for your wants."
                } else {
                    "It cannot be searched: add its product pages with `emptor add URL`."
                };
                cx.line(&format!(
                    "Following {} with {adapter}. {search}",
                    cx.bold(&s.domain)
                ));
                if let (Some(detail), Some(advice)) = (&s.health.detail, &s.advice) {
                    cx.line(&cx.yellow(&format!("  {detail}")));
                    cx.line(&cx.dim(&format!("  {advice}")));
                }
            })
        }
        Shop::List => {
            let shops: Vec<ShopView> = cx.get("/v1/shops").await?;
            cx.show(&shops, |cx, shops| print_shops(cx, shops))
        }
        Shop::Test { domain } => {
            let request = CrawlRequest {
                shop: Some(domain.clone()),
                want: None,
                now: true,
            };
            let progress = run_quietly(cx, &request).await?;
            let shop: ShopView = cx.get(&format!("/v1/shops/{}", encode(&domain))).await?;
            cx.show(&(&shop, &progress.results), |cx, (shop, results)| {
                for r in results.iter() {
                    cx.line(&result_line(cx, r));
                }
                print_shops(cx, std::slice::from_ref(shop));
            })
        }
        Shop::Terms(args) => terms::terms(cx, *args).await,
        Shop::Coupon(verb) => terms::coupon(cx, verb).await,
        Shop::Price(verb) => terms::price(cx, verb).await,
        Shop::Rm { domain } => {
            let done: Done = cx.delete(&format!("/v1/shops/{}", encode(&domain))).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}

fn print_shops(cx: &Context, shops: &[ShopView]) {
    if shops.is_empty() {
        cx.line("No shops yet. Follow one with `emptor shop add DOMAIN`.");
    }
    let now = Timestamp::now();
    for s in shops {
        let state = match (&s.health.trouble, s.health.last_good) {
            (Some(trouble), _) => {
                let since = s
                    .health
                    .blind_since
                    .map(|t| format!(" since {}", cx.locale.time(t)))
                    .unwrap_or_default();
                let trouble = trouble.name().replace('_', " ");
                cx.yellow(&format!("blind{since}: {trouble}"))
            }
            (None, Some(good)) => cx.green(&format!("read {}", ago(good, now))),
            (None, None) => cx.dim("not read yet"),
        };
        let adapter = s.adapter.as_deref().unwrap_or("generic");
        let pages = count(s.pages, "page");
        cx.line(&format!(
            "{:<30} {pages:>10}  {adapter:<14} {state}",
            s.domain
        ));
        if let (Some(detail), Some(advice)) = (&s.health.detail, &s.advice) {
            cx.line(&cx.dim(&format!("    {detail}")));
            cx.line(&cx.dim(&format!("    {advice}")));
        }
        print_blind(cx, &s.blind_pages, "    ");
    }
    let blind = shops.iter().filter(|s| s.health.trouble.is_some()).count();
    if blind > 0 {
        cx.line(&cx.yellow(&format!("Blind on {blind} of {} shops.", shops.len())));
    }
}
