//! The command line: one file a noun, a thin client of the daemon's API.

pub mod adapter;
pub mod alerts;
pub mod basket;
pub mod client;
pub mod context;
pub mod crawl;
pub mod daemon;
pub mod doctor;
pub mod format;
pub mod lab;
pub mod offers;
pub mod plan;
pub mod purchases;
pub mod tender;
pub mod terms;
pub mod tune;
pub mod vault;
pub mod want;

use crate::agent::api::types::WebPage;
use crate::agent::config::Config;
use crate::model::want::WantKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::{CliError, Context, Exit, Global, Result};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// A personal buying agent: it reads shops, ranks every offer on what it costs in all, asks
/// sellers for quotes, and keeps your data in an encrypted vault.
#[derive(Parser, Debug)]
#[command(name = "emptor", version, max_term_width = 100)]
#[command(after_help = "The first evening:
  emptor demo                                see it work on invented shops
  emptor init                                make your vault
  emptor add https://shop.example/p/drill    name what you want
  emptor shop add other.example              follow a shop
  emptor offers                              where to buy

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 vault locked, 4 daemon unreachable, 5 not found.
EMPTOR_HOME=DIR puts everything under DIR. NO_COLOR switches colours off.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// See the whole thing work on a throw-away vault and invented shops on this machine
    Demo(crate::demo::Args),
    /// Make your vault
    Init(vault::Init),
    /// Open the vault
    Unlock(vault::UnlockArgs),
    /// Close the vault
    Lock,
    /// Check everything and say how to mend it
    Doctor,
    /// Run, start, stop or install the daemon
    #[command(subcommand)]
    Daemon(daemon::Daemon),
    /// Name what you want: an address, a barcode number or a text
    Add(Box<want::Add>),
    /// Wishes: what may wait
    #[command(after_help = "Examples:
  emptor wish                                    all wishes
  emptor wish add 'cargo bike' --max '2400 EUR' --intensity 70
  emptor wish list --sort intensity              the most lastingly wanted first
  emptor wish show drill
  emptor wish edit drill --max '110 EUR' --prefer 'delivery<=2:4'
  emptor wish snooze drill --until 2030-01-01
  emptor wish keep drill                         it is still wanted
  emptor wish drop drill
  emptor wish tune drill                         asks what a day sooner is worth to you
  emptor wish tune drill --answer yes --answer no
  emptor wish plan --budget '200 EUR'            what fits
  emptor wish done drill
  emptor wish rm drill")]
    Wish {
        #[command(subcommand)]
        verb: Option<want::Verb>,
    },
    /// Shopping lists: what is to be bought now
    #[command(after_help = "Examples:
  emptor list                                    all shopping items
  emptor list add coffee --qty 2 --list groceries
  emptor list list --list groceries --sort price
  emptor list show coffee
  emptor list edit coffee --qty 3
  emptor list snooze --list groceries --until 2030-01-01   no alert about the list as a whole
  emptor list keep --list groceries              its alert is back
  emptor list drop coffee
  emptor list tune coffee                        asks what a brand is worth to you
  emptor list plan                               wishes against a budget
  emptor list done coffee
  emptor list rm coffee

`emptor basket` says where to buy a list.")]
    List {
        #[command(subcommand)]
        verb: Option<want::Verb>,
    },
    /// Follow shops
    #[command(after_help = "Examples:
  emptor shop                                    all followed shops
  emptor shop add shop.example
  emptor shop test shop.example                  read its pages now
  emptor shop terms shop.example --ship '4.90 EUR' --free-from '49 EUR'
  emptor shop coupon add shop.example SPRING 10% --min '40 EUR'
  emptor shop price add shop.example tea mug --price '9 EUR'
  emptor shop rm shop.example")]
    Shop {
        #[command(subcommand)]
        verb: Option<crawl::Shop>,
    },
    /// How shops are read: list, test, check, write adapters
    #[command(subcommand)]
    Adapter(adapter::AdapterCommand),
    /// Read what is due now
    Crawl(crawl::Crawl),
    /// The ranked short list, with what each offer costs in all
    Offers(offers::Offers),
    /// The price history of a want
    #[command(after_help = "Examples:
  emptor history drill

Says, too, whether waiting has paid before, where enough days are known.")]
    History {
        /// The want: its id or part of its name
        want: String,
    },
    /// Where to buy a whole list, with the saving of each further shop
    Basket(basket::Basket),
    /// What you bought, and price guarantees that still run
    Purchases {
        #[command(subcommand)]
        verb: Option<purchases::Purchases>,
    },
    /// Ask sellers for a quote
    Tender {
        #[command(subcommand)]
        verb: Option<tender::Tender>,
    },
    /// Rules that tell you of a better offer
    Alerts {
        #[command(subcommand)]
        verb: Option<alerts::Alerts>,
    },
    /// Try the ways messages reach you
    #[command(subcommand)]
    Notify(alerts::Notify),
    /// Everything that left your vault
    Ledger {
        #[command(subcommand)]
        verb: Option<tender::Ledger>,
    },
    /// The vault: status, slots, backup, restore, verify
    #[command(subcommand)]
    Vault(vault::VaultVerb),
    /// A link to the page for your browser
    Web,
    /// The API's OpenAPI document
    Api,
    /// Run one engine on a file: stateless and offline
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Print completions for a shell
    #[command(after_help = "Examples:
  emptor completions bash > ~/.local/share/bash-completion/completions/emptor")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all of them to a directory
    #[command(after_help = "Examples:
  emptor man | man -l -
  emptor man --out ~/.local/share/man/man1")]
    Man {
        /// The directory
        #[arg(long, value_name = "DIR")]
        out: Option<std::path::PathBuf>,
    },
    /// Read foreign bytes: started by the daemon
    #[command(hide = true)]
    Worker,
}

/// Reads the process arguments; ends the program where they make no sense. A negative
/// amount is an amount, to be refused as one, and no option.
fn parse() -> Cli {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // The commands that are not asked for stay as they are: there are many.
    let asked = |command: &clap::Command| {
        let names = command.get_all_aliases().chain([command.get_name()]);
        names.into_iter().any(|n| arguments.iter().any(|a| a == n))
    };
    let command = with_examples(Cli::command(), "emptor".to_owned(), &asked);
    let matches = amounts_may_begin_with_a_hyphen(command, &asked).get_matches_from(&arguments);
    Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit())
}

/// The whole command line.
fn command() -> clap::Command {
    with_examples(Cli::command(), "emptor".to_owned(), &|_| true)
}

/// An example of a group of commands is shown with the command it is about, too, for
/// `which` commands.
fn with_examples(
    group: clap::Command,
    path: String,
    which: &dyn Fn(&clap::Command) -> bool,
) -> clap::Command {
    let help = group.get_after_help().map(ToString::to_string);
    group.mut_subcommands(|command| {
        if !which(&command) {
            return command;
        }
        let path = format!("{path} {}", command.get_name());
        let about = |line: &&str| {
            let line = line.trim_start().strip_prefix(&path);
            line.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let examples = help.iter().flat_map(|help| help.lines()).filter(about);
        let examples: Vec<&str> = examples.collect();
        let command = match (command.get_after_help(), &examples[..]) {
            (Some(_), _) | (_, []) => command,
            (None, examples) => command.after_help(format!("Examples:\n{}", examples.join("\n"))),
        };
        with_examples(command, path, which)
    })
}

fn amounts_may_begin_with_a_hyphen(
    command: clap::Command,
    which: &dyn Fn(&clap::Command) -> bool,
) -> clap::Command {
    let is_amount = |arg: &clap::Arg| {
        let names = arg.get_value_names().unwrap_or_default();
        names.iter().any(|n| n.as_str() == "MONEY")
    };
    command
        .mut_args(|arg| match is_amount(&arg) {
            true => arg.allow_hyphen_values(true),
            false => arg,
        })
        .mut_subcommands(|command| match which(&command) {
            true => amounts_may_begin_with_a_hyphen(command, which),
            false => command,
        })
}

/// Runs the program on the process arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = parse();
    match cli.command {
        // No runtime, no files, no environment: these are for scripts and for the sandbox.
        Command::Worker => crate::worker::child::run(),
        Command::Lab(lab) => lab.run(),
        Command::Adapter(cmd) => match crate::agent::paths::Paths::from_env() {
            Ok(paths) => adapter::run(&cmd, cli.global.json, &paths.adapters),
            Err(e) => CliError::failed(e.to_string()).report(),
        },
        Command::Completions { shell } => {
            // Generated in memory, because the generator panics on a closed pipe.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(), "emptor", &mut script);
            context::print_all(&script);
            ExitCode::SUCCESS
        }
        Command::Man { out } => report(man(out.as_deref())),
        Command::Daemon(daemon::Daemon::Run { detached }) => run_daemon(detached),
        command => report_exit(block_on(command, cli.global)),
    }
}

fn report(result: Result) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => e.report(),
    }
}

fn report_exit(result: Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|e| e.report())
}

fn block_on(command: Command, global: Global) -> Result<ExitCode> {
    private_files();
    let runtime = if matches!(command, Command::Demo(_)) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
    } else {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    let runtime = runtime.map_err(|e| CliError::failed(format!("cannot start: {e}")))?;
    runtime.block_on(dispatch(command, global))
}

async fn dispatch(command: Command, global: Global) -> Result<ExitCode> {
    if let Command::Demo(args) = command {
        return crate::demo::run(&args, &global)
            .await
            .map(|()| ExitCode::SUCCESS);
    }
    let mut cx = Context::new(global)?;
    let cx = &mut cx;
    match command {
        Command::Init(args) => vault::init(cx, args).await,
        Command::Unlock(args) => vault::unlock(cx, args).await,
        Command::Lock => vault::lock(cx).await,
        Command::Doctor => return doctor::run(cx).await,
        Command::Daemon(verb) => daemon::verb(cx, verb).await,
        Command::Add(args) => want::add(cx, *args, None).await,
        Command::Wish { verb } => want::run(cx, verb, WantKind::Wish).await,
        Command::List { verb } => want::run(cx, verb, WantKind::Shopping).await,
        Command::Shop { verb } => crawl::shop(cx, verb.unwrap_or(crawl::Shop::List)).await,
        Command::Crawl(args) => crawl::run(cx, args).await,
        Command::Offers(args) => offers::run(cx, args).await,
        Command::History { want } => offers::history(cx, &want).await,
        Command::Basket(args) => basket::run(cx, args).await,
        Command::Purchases { verb } => purchases::run(cx, verb).await,
        Command::Tender { verb } => tender::run(cx, verb.unwrap_or(tender::Tender::List)).await,
        Command::Alerts { verb } => alerts::run(cx, verb).await,
        Command::Notify(verb) => alerts::notify(cx, verb).await,
        Command::Ledger { verb } => tender::ledger(cx, verb).await,
        Command::Vault(verb) => vault::run(cx, verb).await,
        Command::Web => {
            let page: WebPage = cx.post("/v1/web", &()).await?;
            cx.show(&page, |cx, p| {
                cx.line(&p.url);
                cx.line(&cx.dim("Good once, for a minute. Open it in your browser."));
            })
        }
        Command::Api => {
            let document =
                crate::agent::api::routes::openapi(&crate::agent::api::handlers::table());
            cx.show(&document, |cx, d| cx.line(&format!("{d:#}")))
        }
        Command::Demo(_)
        | Command::Adapter(_)
        | Command::Lab(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Worker => Ok(()),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// Files of ours are nobody else's business.
fn private_files() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

fn run_daemon(detached: bool) -> ExitCode {
    private_files();
    if detached {
        // Ctrl-C in the terminal that happened to start it is not meant for it.
        let _ = rustix::process::setsid();
    }
    if let Err(e) = crate::vault::harden_process() {
        context::aside(format_args!(
            "warning: the process could not be hardened: {e}\n"
        ));
    }
    let result = (|| {
        let paths =
            crate::agent::paths::Paths::from_env().map_err(|e| CliError::failed(e.to_string()))?;
        let config = Config::load(&paths.config).map_err(|e| {
            CliError::failed(e.to_string()).hint("correct the line named, or remove the file")
        })?;
        start_log(&config.log.level, !detached);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| CliError::failed(format!("cannot start: {e}")))?;
        runtime
            .block_on(crate::agent::server::serve(paths))
            .map_err(|e| {
                let exit = Exit::Failed;
                CliError::new(exit, e.to_string())
                    .hint("`emptor daemon status` asks the running one")
            })
    })();
    report(result)
}

/// Starts the log on standard error, which the spawning command line points to a file.
pub fn start_log(level: &str, colour: bool) {
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,emptor={level}"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .try_init();
}

fn man(out: Option<&Path>) -> Result {
    let io = |e: std::io::Error| CliError::failed(format!("cannot write the manual: {e}"));
    match out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command())
                .render(&mut page)
                .map_err(io)?;
            context::print_all(&page);
            Ok(())
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(io)?;
            clap_mangen::generate_to(command(), dir).map_err(io)
        }
    }
}

/// A path as the daemon understands it, which may work in another directory.
fn absolute(path: &Path) -> Result<String> {
    let path = std::path::absolute(path)
        .map_err(|e| CliError::usage(format!("{}: {e}", path.display())))?;
    path.into_os_string()
        .into_string()
        .map_err(|p| CliError::usage(format!("{} is not Unicode", p.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_that_takes_something_has_an_example() {
        fn without(command: &clap::Command, path: &str, found: &mut Vec<String>) {
            let mut own = command.get_arguments().filter(|a| !a.is_global_set());
            let example = command.get_after_help().is_some();
            if own.any(|a| a.get_id() != "version") && !example {
                found.push(path.to_owned());
            }
            for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                without(sub, &format!("{path} {}", sub.get_name()), found);
            }
        }
        let mut found = Vec::new();
        without(&command(), "emptor", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
