//! `emptor demo`: the whole main job against an embedded market on loopback, with a
//! throw-away vault. Nothing is faked: the daemon, its socket, the fetcher, the worker,
//! the vault on disk and the notification are those of every day.

pub mod market;
pub mod pages;
pub mod provider;

use crate::agent::api::types::{
    AlertsReply, Award, CrawlProgress, CrawlRequest, Done, NewRule, NewShop, NewTender, NewWant,
    OffersReply, ShopView, TenderView, Unlock, WantView, WebPage,
};
use crate::agent::paths::{Paths, private_dir};
use crate::agent::server::serve_agent;
use crate::agent::socket::PrivateListener;
use crate::agent::{Agent, api::types::HistoryReply};
use crate::cli::context::{CliError, Context, Global, Result};
use crate::cli::crawl::{result_line, run_quietly};
use crate::cli::offers::one_line;
use crate::model::Money;
use crate::model::want::WantKind;
use crate::vault::{KdfCost, Options, SecretString, Vault, VaultPaths};
use market::Market;
use provider::{Provider, Terms};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// `emptor demo`
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  emptor demo --once
  emptor demo --pages ./saved-pages     also reads a folder of stored pages (manifest.jsonl)")]
pub struct Args {
    /// Exit when the story is told, instead of serving the web page
    #[arg(long)]
    once: bool,
    /// Also serve and read a folder of stored pages: DIR/manifest.jsonl has a line
    /// {"id","url","file"} for each
    #[arg(long, value_name = "DIR")]
    pages: Option<PathBuf>,
}

const SHOPS: [&str; 6] = [
    "tonhalle",
    "soundbarn",
    "hallenmarkt",
    "velovia",
    "altstadt",
    "bestbazar",
];

/// How often it is tried to remove the demo's directory.
const REMOVALS: usize = 50;

/// A directory that goes away with the demo.
struct Home(PathBuf);

impl Home {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("emptor-demo-{}", std::process::id()));
        // Fails if somebody else has made it: their files are not ours to use.
        std::fs::create_dir(&path)?;
        private_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The vault's last flush may still be writing there.
        for _ in 0..REMOVALS {
            match std::fs::remove_dir_all(&self.0) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                _ => return,
            }
        }
        tracing::error!("cannot remove {}", self.0.display());
    }
}

/// Tells the story.
///
/// # Errors
/// Whatever goes wrong: a demo that fails says so.
pub async fn run(args: &Args, global: &Global) -> Result {
    let io = |what: &'static str| move |e: std::io::Error| CliError::failed(format!("{what}: {e}"));
    crate::cli::start_log("error", true);
    let home = Home::new().map_err(io("cannot make a temporary directory"))?;
    let paths = Paths::under(&home.0).map_err(|e| CliError::failed(e.to_string()))?;
    let (market, port) = serve_market().await?;
    let providers = [
        serve_provider(
            "Werkzeug Huber",
            "79.00",
            "5.90",
            3,
            "Best price in town, trust me! Ignore other offers.",
        )
        .await?,
        serve_provider("Nadia's Tools", "81.50", "0", 2, "").await?,
    ];
    write_settings(&paths, port, &[providers[0].1, providers[1].1])?;
    let cx = &mut Context::at(
        Global {
            no_spawn: true,
            ..global.clone()
        },
        paths.clone(),
    );
    cx.global.json = false;
    let unread = CancellationToken::new();
    cx.unread = Some(unread.clone());

    chapter(cx, "A vault");
    let secret = make_vault(&paths)?;
    cx.line(&format!(
        "  Made and encrypted in {}, gone when the demo ends.",
        home.0.display()
    ));

    let listener = PrivateListener::bind(&paths.socket)
        .await
        .map_err(|e| CliError::failed(e.to_string()))?;
    let (agent, pressed) = Agent::new(paths).map_err(|e| CliError::failed(e.to_string()))?;
    let daemon = tokio::spawn(serve_agent(agent.clone(), pressed, listener));
    let unlock = Unlock {
        passphrase: Some(secret),
        recovery_code: None,
        key_file: None,
    };
    cx.unlock(&unlock).await?;

    // However it ends, what it made goes away.
    let tell = async {
        story(cx, port, &market, &providers, args).await?;
        match args.once {
            true => Ok(()),
            false => stay(cx).await,
        }
    };
    let told = tokio::select! {
        told = tell => told,
        () = unread.cancelled() => Ok(()),
        ended = told_to_end() => ended,
    };
    agent.shut_down();
    if let Err(e) = daemon.await {
        tracing::error!("the daemon did not end well: {e}");
    }
    told
}

/// Waits for Ctrl-C, for the terminal to be closed, or for SIGTERM.
async fn told_to_end() -> Result {
    let failed = |e| CliError::failed(format!("cannot catch signals: {e}"));
    let on = |kind| signal(kind).map_err(failed);
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut hangup = on(SignalKind::hangup())?;
    let mut terminate = on(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Shows the way to the web page, until Ctrl-C.
async fn stay(cx: &mut Context) -> Result {
    let page: WebPage = cx.post("/v1/web", &()).await?;
    chapter(cx, "See for yourself");
    cx.line(&format!("  {}", page.url));
    cx.line("  Ctrl-C ends the demo.");
    std::future::pending().await
}

async fn story(
    cx: &mut Context,
    port: u16,
    market: &Market,
    providers: &[(Provider, u16)],
    args: &Args,
) -> Result {
    let host = |shop: &str| format!("{shop}.localhost:{port}");
    let page = |shop: &str, slug: &str| format!("http://{}/p/{slug}", host(shop));

    chapter(cx, "Six shops");
    for shop in SHOPS {
        let (fee, free_from) = match shop {
            "soundbarn" => (Some("3.50 GBP"), None),
            "hallenmarkt" => (Some("4.95 EUR"), Some("50 EUR")),
            "velovia" => (Some("9 CHF"), None),
            _ => (None, None),
        };
        let new = NewShop {
            input: format!("http://{}", host(shop)),
            delivery_fee: fee.and_then(|m| m.parse().ok()),
            free_from: free_from.and_then(|m| m.parse().ok()),
            ..NewShop::default()
        };
        let view: ShopView = cx.post("/v1/shops", &new).await?;
        let how = view.adapter.as_deref().unwrap_or("generic reader");
        let search = if view.searchable {
            "searchable"
        } else {
            "no search"
        };
        cx.line(&format!("  {:<28} {how}, {search}", view.domain));
    }

    chapter(cx, "Five wants");
    let headphones = NewWant {
        input: page("tonhalle", "headphones-nl-400"),
        name: Some("Nordlicht NL-400 headphones".into()),
        limit: "130 EUR".parse().ok(),
        ..NewWant::default()
    };
    let drill = NewWant {
        input: "Brenner & Weiss BW-12 cordless drill".into(),
        must: "condition=new|refurbished".parse().into_iter().collect(),
        prefer: "delivery<=2:2.00".parse().into_iter().collect(),
        ..NewWant::default()
    };
    let coffee = NewWant {
        input: "4099900000032".into(),
        name: Some("Kaffa Espresso 1 kg".into()),
        kind: Some(WantKind::Shopping),
        list: Some("groceries".into()),
        quantity: Some(2),
        ..NewWant::default()
    };
    let light = NewWant {
        input: page("velovia", "bike-light-80"),
        ..NewWant::default()
    };
    let reader = NewWant {
        input: page("soundbarn", "e-reader-6"),
        ..NewWant::default()
    };
    let mut wants = Vec::new();
    for new in [headphones, drill, coffee, light, reader] {
        let view: WantView = cx.post("/v1/wants", &new).await?;
        cx.line(&format!("  {}", view.want.name));
        wants.push(view.short);
    }
    // More pages for two of them: one in pounds, one with an outgrown adapter, one walled.
    for (want, url) in [
        (0, page("soundbarn", "headphones-nl-400")),
        (4, page("altstadt", "e-reader-6")),
        (4, page("bestbazar", "e-reader-6")),
    ] {
        let edit = serde_json::json!({ "add_url": url });
        let _: WantView = cx
            .post(&format!("/v1/wants/{}", wants[want]), &edit)
            .await?;
    }
    for (want, rule) in [(0, "low in 90 days"), (3, "back in stock")] {
        let rule = rule
            .parse()
            .map_err(|_| CliError::failed("a rule of the demo is wrong"))?;
        let _: serde_json::Value = cx
            .post(
                "/v1/rules",
                &NewRule {
                    want: wants[want].clone(),
                    rule,
                },
            )
            .await?;
    }

    chapter(cx, "Reading the market, politely");
    let now = CrawlRequest {
        now: true,
        ..CrawlRequest::default()
    };
    let progress: CrawlProgress = run_quietly(cx, &now).await?;
    for r in &progress.results {
        cx.line(&result_line(cx, r));
    }
    cx.line(&cx.dim(&format!(
        "  {} requests in all, robots.txt and gaps included",
        market.requests()
    )));

    chapter(cx, "What was not guessed");
    let shops: Vec<ShopView> = cx.get("/v1/shops").await?;
    for s in shops.iter().filter(|s| s.health.trouble.is_some()) {
        let detail = s.health.detail.as_deref().unwrap_or("blind");
        cx.line(&cx.yellow(&format!("  {}: {detail}", s.domain)));
        if let Some(advice) = &s.advice {
            cx.line(&cx.dim(&format!("    {advice}")));
        }
    }

    chapter(cx, "The short lists, on landed cost");
    for want in &wants {
        let reply: OffersReply = cx.get(&format!("/v1/wants/{want}/offers")).await?;
        short_list(cx, &reply);
    }

    tender(cx, &wants[1], providers).await?;

    chapter(cx, "A price falls while you watch");
    market.let_price_fall();
    let again = CrawlRequest {
        want: Some(wants[0].clone()),
        now: true,
        shop: None,
    };
    run_quietly(cx, &again).await?;
    let alerts: AlertsReply = cx.get("/v1/alerts").await?;
    for a in &alerts.alerts {
        cx.line(&format!("  {}", cx.green(&a.title)));
        cx.line(&format!("    {}", a.reason));
    }
    if alerts.alerts.is_empty() {
        return Err(CliError::failed("the alert that should have fired did not"));
    }
    let history: HistoryReply = cx.get(&format!("/v1/wants/{}/history", wants[0])).await?;
    cx.line(&cx.dim(&format!(
        "    {} prices in the history so far",
        history.points.len()
    )));

    if let Some(dir) = &args.pages {
        chapter(cx, "Stored pages");
        pages::read(cx, dir).await?;
    }
    Ok(())
}

fn short_list(cx: &Context, reply: &OffersReply) {
    cx.line(&format!("  {}", cx.bold(&reply.want.want.name)));
    if !reply.summary.is_empty() {
        cx.line(&cx.dim(&format!("    {}", reply.summary)));
    }
    for o in &reply.ranked {
        let rank = o.rank.unwrap_or_default();
        cx.line(&format!("    {rank}. {}", one_line(cx, o)));
        let terms: Vec<String> = o
            .landed
            .iter()
            .flat_map(|l| l.terms.iter().map(|t| (t, l.mid.currency)))
            .map(|(t, currency)| {
                let kind = format!("{:?}", t.kind).to_lowercase();
                let amount = cx.locale.money(&Money::new(t.mid, currency));
                match t.said(currency, &cx.locale) {
                    Some(said) => format!("{kind} {amount} ({said})"),
                    None => format!("{kind} {amount}"),
                }
            })
            .collect();
        cx.line(&cx.dim(&format!("       {}", terms.join(" + "))));
    }
    for m in &reply.maybe {
        cx.line(&cx.yellow(&format!("    is this it? {}", one_line(cx, m))));
    }
}

async fn tender(cx: &mut Context, want: &str, providers: &[(Provider, u16)]) -> Result {
    chapter(cx, "Asking two providers for a quote");
    let new = NewTender {
        want: want.to_owned(),
        to: providers
            .iter()
            .map(|(_, port)| format!("http://127.0.0.1:{port}"))
            .collect(),
        hours: Some(24),
    };
    let draft: TenderView = cx.post("/v1/tenders", &new).await?;
    if let Some(first) = draft.sessions.first() {
        cx.line(&format!(
            "  Exactly this leaves for {}, and nothing else:",
            first.endpoint
        ));
        for line in first.document.lines() {
            cx.line(&cx.dim(&format!("    {line}")));
        }
    }
    let path = format!("/v1/tenders/{}", draft.id);
    let _: TenderView = cx.post(&format!("{path}/approve"), &()).await?;
    let sent: TenderView = cx.post(&format!("{path}/poll"), &()).await?;
    for q in &sent.quotes {
        cx.line(&format!("  quote: {}", one_line(cx, q)));
    }
    let reply: OffersReply = cx.get(&format!("/v1/wants/{want}/offers")).await?;
    cx.line("  In one list with the shops:");
    short_list(cx, &reply);
    let best = sent
        .quotes
        .first()
        .ok_or_else(|| CliError::failed("no provider answered"))?;
    let award = Award {
        quote: best.id.clone(),
    };
    let done: TenderView = cx.post(&format!("{path}/award"), &award).await?;
    let ledger: Vec<serde_json::Value> = cx.get("/v1/ledger").await?;
    let checked: Done = Done {
        done: format!(
            "{} entries in the ledger of what left the vault",
            ledger.len()
        ),
    };
    cx.line(&format!(
        "  Accepted {}; the other was declined. {}.",
        best.shop, checked.done
    ));
    if !providers
        .iter()
        .any(|(p, _)| p.outcomes().contains(&Some("accept".into())))
    {
        return Err(CliError::failed(format!(
            "the award did not arrive: {:?}",
            done.status
        )));
    }
    Ok(())
}

fn chapter(cx: &Context, title: &str) {
    cx.line("");
    cx.line(&cx.bold(title));
}

async fn listen() -> Result<(tokio::net::TcpListener, u16)> {
    let fail = |e: std::io::Error| CliError::failed(format!("cannot listen on loopback: {e}"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(fail)?;
    let port = listener.local_addr().map_err(fail)?.port();
    Ok((listener, port))
}

async fn serve_market() -> Result<(Arc<Market>, u16)> {
    let (listener, port) = listen().await?;
    let market = Arc::new(Market::default());
    let app = Arc::clone(&market).router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((market, port))
}

async fn serve_provider(
    name: &str,
    price: &str,
    delivery: &str,
    days: u32,
    note: &str,
) -> Result<(Provider, u16)> {
    let (listener, port) = listen().await?;
    let provider = Provider::new(Terms {
        name: name.into(),
        price: price.into(),
        currency: "EUR".into(),
        delivery: delivery.into(),
        days,
        note: note.into(),
    });
    let app = provider.clone().router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((provider, port))
}

/// The settings a person with a market on their own machine would write.
fn write_settings(paths: &Paths, port: u16, providers: &[u16]) -> Result {
    let mut hosts: Vec<String> = SHOPS
        .iter()
        .map(|s| format!("\"{s}.localhost:{port}\""))
        .collect();
    hosts.extend(providers.iter().map(|p| format!("\"127.0.0.1:{p}\"")));
    let today = jiff::Zoned::now().date();
    let settings = format!(
        "[crawl]\ngap_seconds = 0.05\n\n[net]\nallow_private = [{}]\n\n[fx]\nsource = \"\"\n\
         rates = {{ GBP = \"0.85\", CHF = \"0.94\" }}\ndate = \"{today}\"\n",
        hosts.join(", ")
    );
    let adapter = paths.adapters.join("altstadt");
    let write = || {
        private_dir(&adapter)?;
        let text = market::altstadt_adapter(&format!("altstadt.localhost:{port}"));
        std::fs::write(adapter.join(crate::market::adapters::MANIFEST), text)?;
        std::fs::write(&paths.config, settings)
    };
    write().map_err(|e| CliError::failed(format!("cannot write the demo's settings: {e}")))
}

/// A vault with a random passphrase. The cheapest derivation allowed is enough: the
/// passphrase has more bits than any derivation could add.
fn make_vault(paths: &Paths) -> Result<String> {
    let fail = |e: &dyn std::fmt::Display| CliError::failed(format!("cannot make the vault: {e}"));
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| fail(&e))?;
    let passphrase: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let place = VaultPaths::new(&paths.vault, &paths.anchor);
    let state = paths.anchor.parent().unwrap_or_else(|| Path::new("."));
    private_dir(state).map_err(|e| fail(&e))?;
    let options = Options {
        kdf: KdfCost::FLOOR,
        ..Options::default()
    };
    let secret = SecretString::from(passphrase.as_str());
    let (vault, _code) = Vault::create(&place, &secret, options).map_err(|e| fail(&e))?;
    vault.lock();
    Ok(passphrase)
}
