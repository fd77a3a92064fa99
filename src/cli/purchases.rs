//! `emptor purchases`: what was bought, and price guarantees that still run.

use super::client::encode;
use super::context::{Context, Result};
use super::format::day;
use crate::agent::api::types::{Done, NewPurchase, PurchaseView};
use crate::model::Money;
use crate::model::time::Date;
use clap::Subcommand;

/// `emptor purchases`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor purchases add drill --price '120 EUR' --shop shop.example --protect-days 14
  emptor purchases rm 1a2b3c4d

While the shop's price guarantee runs its page is read on, and a lower price is told.")]
pub enum Purchases {
    /// Show all
    #[command(alias = "ls")]
    List,
    /// Note a purchase
    Add {
        /// The want: its id or part of its name
        want: String,
        /// What one piece cost, without delivery
        #[arg(long, value_name = "MONEY")]
        price: Money,
        /// The shop's domain
        #[arg(long, value_name = "DOMAIN")]
        shop: String,
        /// The day (YYYY-MM-DD); today if not given
        #[arg(long, value_name = "DATE", value_parser = day)]
        on: Option<Date>,
        /// For how many days the shop refunds a difference
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=3650))]
        protect_days: Option<u32>,
    },
    /// Remove one
    Rm {
        /// Its id
        purchase: String,
    },
}

/// Runs it.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, verb: Option<Purchases>) -> Result {
    match verb.unwrap_or(Purchases::List) {
        Purchases::List => {
            let all: Vec<PurchaseView> = cx.get("/v1/purchases").await?;
            cx.show(&all, |cx, all| {
                if all.is_empty() {
                    cx.line("No purchase noted. `emptor purchases add WANT` notes one.");
                }
                for p in all {
                    print(cx, p);
                }
            })
        }
        Purchases::Add {
            want,
            price,
            shop,
            on,
            protect_days,
        } => {
            let new = NewPurchase {
                want,
                price,
                shop,
                on,
                protect_days,
            };
            let purchase: PurchaseView = cx.post("/v1/purchases", &new).await?;
            cx.show(&purchase, |cx, p| {
                print(cx, p);
                let done = format!("  `emptor wish done {}` if nothing more is wanted.", p.want);
                cx.line(&cx.dim(&done));
            })
        }
        Purchases::Rm { purchase } => {
            let path = format!("/v1/purchases/{}", encode(&purchase));
            let done: Done = cx.delete(&path).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}

fn print(cx: &Context, p: &PurchaseView) {
    cx.line(&format!(
        "{}  {}  {} at {}  {}",
        cx.locale.day(p.bought),
        cx.bold(&p.name),
        cx.locale.money(&p.paid),
        p.shop,
        cx.dim(&format!("[{}]", p.id))
    ));
    let state = format!("  {}", p.state);
    cx.line(&match p.refund {
        Some(_) => cx.green(&state),
        None => state,
    });
}
