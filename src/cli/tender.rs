//! `emptor tender` and `emptor ledger`: asking sellers, and what left the vault.

use super::client::encode;
use super::context::{CliError, Context, Exit, Result};
use super::format::ago;
use super::offers::one_line;
use crate::agent::api::types::{
    Award, Done, LedgerCheck, LedgerLine, NewTender, TenderView, WriteFile,
};
use crate::model::tender::TenderStatus;
use crate::model::time::Timestamp;
use clap::Subcommand;
use std::path::PathBuf;

/// `emptor tender`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor tender new drill --to https://provider.example/tenders
  emptor tender                     all calls for tenders
  emptor tender show 1a2b3c4d       with what was sent
  emptor tender quotes              of the newest call
  emptor tender award 1a2b3c4d --quote 5e6f7a8b
  emptor tender cancel 1a2b3c4d")]
pub enum Tender {
    /// Ask providers for a quote: shows exactly what will be sent, then asks you
    New {
        /// The want
        want: String,
        /// A provider's endpoint; repeat it for more
        #[arg(long, value_name = "URL", required = true)]
        to: Vec<String>,
        /// Replies must come within so many hours
        #[arg(long, value_name = "N", default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=2160))]
        hours: u32,
        /// Send without asking
        #[arg(long)]
        yes: bool,
    },
    /// All calls for tenders
    #[command(alias = "ls")]
    List,
    /// One of them, with what was sent
    Show {
        /// Its id
        tender: String,
    },
    /// The quotes, best first
    Quotes {
        /// Its id; the newest without it
        tender: Option<String>,
    },
    /// Buy at one quote and decline the others
    Award {
        /// Its id
        tender: String,
        /// The quote's id
        #[arg(long)]
        quote: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Call it off and tell the providers
    Cancel {
        /// Its id
        tender: String,
    },
}

/// `emptor ledger`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor ledger
  emptor ledger verify
  emptor ledger export ledger.ndjson")]
pub enum Ledger {
    /// Everything that left the vault: when, to whom, what, why
    #[command(alias = "ls")]
    List,
    /// Recompute the hash chain
    Verify,
    /// Write it to a file that anyone can check with SHA-256 alone
    Export {
        /// The file
        file: PathBuf,
    },
}

/// Runs `emptor tender`.
///
/// # Errors
/// Whatever the daemon says, or no consent.
pub async fn run(cx: &mut Context, verb: Tender) -> Result {
    match verb {
        Tender::New {
            want,
            to,
            hours,
            yes,
        } => {
            let new = NewTender {
                want,
                to,
                hours: Some(hours),
            };
            let draft: TenderView = cx.post("/v1/tenders", &new).await?;
            if !cx.global.json {
                for s in &draft.sessions {
                    cx.line(&format!("To {}:", cx.bold(&s.endpoint)));
                    cx.verbatim(&s.document);
                    cx.line("");
                }
                cx.line(
                    "Nothing else is sent: not your limit, not whom else you ask, not who you are.",
                );
            }
            let path = format!("/v1/tenders/{}", encode(&draft.id));
            if !yes
                && !cx.confirm(&format!(
                    "Send this to {} provider(s)?",
                    draft.sessions.len()
                ))
            {
                let _: Done = cx.post(&format!("{path}/cancel"), &()).await?;
                return Err(CliError::failed("nothing was sent")
                    .hint("answer `y` in a terminal, or give --yes"));
            }
            let sent: TenderView = cx.post(&format!("{path}/approve"), &()).await?;
            cx.show(&sent, |cx, t| {
                cx.line(&format!("Sent. Quotes: `emptor tender quotes {}`.", t.id));
                print_troubles(cx, t);
            })
        }
        Tender::List => {
            let all: Vec<TenderView> = cx.get("/v1/tenders").await?;
            cx.show(&all, |cx, all| {
                if all.is_empty() {
                    cx.line("No calls for tenders. Ask with `emptor tender new WANT --to URL`.");
                }
                for t in all {
                    print_head(cx, t);
                }
            })
        }
        Tender::Show { tender } => {
            let t: TenderView = cx.get(&format!("/v1/tenders/{}", encode(&tender))).await?;
            cx.show(&t, |cx, t| {
                print_head(cx, t);
                for s in &t.sessions {
                    let status = format!("{:?}", s.status).to_lowercase();
                    cx.line(&format!("  {}  {}", cx.bold(&s.endpoint), cx.dim(&status)));
                    for line in s.document.lines() {
                        cx.verbatim(&cx.dim(&format!("    {line}")));
                    }
                }
                print_quotes(cx, t);
                print_troubles(cx, t);
            })
        }
        Tender::Quotes { tender } => {
            let id = match tender {
                Some(id) => id,
                None => {
                    let all: Vec<TenderView> = cx.get("/v1/tenders").await?;
                    let newest = all.first().map(|t| t.id.clone());
                    newest.ok_or_else(|| {
                        CliError::new(Exit::NotFound, "no calls for tenders yet")
                            .hint("ask with `emptor tender new WANT --to URL`")
                    })?
                }
            };
            let path = format!("/v1/tenders/{}", encode(&id));
            let t: TenderView = cx.post(&format!("{path}/poll"), &()).await?;
            cx.show(&t, |cx, t| {
                print_head(cx, t);
                print_quotes(cx, t);
                print_troubles(cx, t);
            })
        }
        Tender::Award { tender, quote, yes } => {
            let path = format!("/v1/tenders/{}", encode(&tender));
            let t: TenderView = cx.get(&path).await?;
            let chosen = t.quotes.iter().find(|q| q.id == quote);
            let chosen = chosen.ok_or_else(|| {
                CliError::new(Exit::NotFound, format!("no valid quote `{quote}`"))
                    .hint(format!("see `emptor tender quotes {}`", t.id))
            })?;
            let line = one_line(cx, chosen);
            if !yes && !cx.confirm(&format!("Accept {line} and decline the others?")) {
                return Err(CliError::failed("nothing was accepted")
                    .hint("answer `y` in a terminal, or give --yes"));
            }
            let t: TenderView = cx.post(&format!("{path}/award"), &Award { quote }).await?;
            cx.show(&t, |cx, t| {
                print_head(cx, t);
                print_troubles(cx, t);
            })
        }
        Tender::Cancel { tender } => {
            let path = format!("/v1/tenders/{}/cancel", encode(&tender));
            let done: Done = cx.post(&path, &()).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}

fn print_head(cx: &Context, t: &TenderView) {
    let status = format!("{:?}", t.status).to_lowercase();
    let closes = if t.status == TenderStatus::Open {
        format!(", closes {}", ago(t.closes, Timestamp::now()))
    } else {
        String::new()
    };
    cx.line(&format!(
        "{}  {}  {} asked, {} quotes, {status}{closes}",
        cx.dim(&format!("[{}]", t.id)),
        cx.bold(&t.name),
        t.sessions.len(),
        t.quotes.len()
    ));
}

fn print_quotes(cx: &Context, t: &TenderView) {
    if t.quotes.is_empty() {
        cx.line("  No quote yet.");
    }
    for (i, q) in t.quotes.iter().enumerate() {
        let id = cx.dim(&format!("[{}]", q.id));
        cx.line(&format!("{:>3}  {}  {id}", i + 1, one_line(cx, q)));
        for note in &q.notes {
            cx.line(&format!("       {note}"));
        }
    }
}

fn print_troubles(cx: &Context, t: &TenderView) {
    for s in &t.sessions {
        if let Some(trouble) = &s.trouble {
            cx.line(&cx.yellow(&format!("  {}: {trouble}", s.endpoint)));
        }
    }
}

/// Runs `emptor ledger`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn ledger(cx: &mut Context, verb: Option<Ledger>) -> Result {
    match verb.unwrap_or(Ledger::List) {
        Ledger::List => {
            let lines: Vec<LedgerLine> = cx.get("/v1/ledger").await?;
            cx.show(&lines, |cx, lines| {
                if lines.is_empty() {
                    cx.line("Nothing has left the vault.");
                }
                for l in lines {
                    cx.line(&format!(
                        "{}  {}  {}",
                        cx.locale.time(l.at),
                        cx.bold(&l.recipient),
                        l.purpose
                    ));
                    cx.line(&cx.dim(&format!("    {}", l.fields.join(", "))));
                    cx.line(&cx.dim(&format!("    sha256 {}", l.sha256)));
                }
            })
        }
        Ledger::Verify => {
            let check: LedgerCheck = cx.post("/v1/ledger/verify", &()).await?;
            cx.show(&check, |cx, c| {
                cx.line(&format!(
                    "{} entries, the chain is whole. Head {}",
                    c.entries, c.head
                ));
            })
        }
        Ledger::Export { file } => {
            let path = super::absolute(&file)?;
            let done: Done = cx.post("/v1/ledger/export", &WriteFile { path }).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}
