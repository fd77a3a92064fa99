//! What the tests of the whole program share: a home of its own with a vault, shops and
//! providers on loopback, and the program run as its users run it.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use emptor::agent::paths::Paths;
use emptor::agent::store::Store;
use emptor::model::time::SignedDuration;
use emptor::vault::{KdfCost, Options, Secret, SecretString, Vault, VaultPaths};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub const PASSPHRASE: &str = "a quiet river under old stones";

/// No command may take longer; a hanging one fails its test instead of the whole run.
const PATIENCE: Duration = Duration::from_secs(300);

/// Whether a program that not every machine has is here. A missing one skips the test,
/// except where everything is required.
pub fn require(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        let all = std::env::var("EMPTOR_REQUIRE_ALL").is_ok_and(|v| v == "1");
        assert!(!all, "this run requires {program}");
        println!("skipped: needs {program}");
    }
    found
}

/// A folder of the measured data, where it is there; it must be where that is required.
pub fn corpora(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("EMPTOR_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    let dir = root.join(part);
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("EMPTOR_REQUIRE_CORPORA").is_none(),
        "no corpora at {}",
        dir.display()
    );
    println!("skipped: no corpora");
    None
}

/// A shop `alpha` that sells a kettle for 39.00 EUR at `/p/1`, and a home that may read it.
pub fn kettle() -> (Shops, Home) {
    let shops = Shops::open(&["alpha"]);
    let page = product("Kettle 1.7 l", "39.00", "EUR", "InStock");
    shops.put("alpha", "/p/1", page);
    let home = Home::new(&shops);
    (shops, home)
}

/// Serves on loopback until the tests end; returns the port.
pub fn serve(app: axum::Router) -> u16 {
    let listener = runtime()
        .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    runtime().spawn(async move { axum::serve(listener, app).await });
    port
}

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

/// What a command said.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// Ended with `code`, with an error and a hint on the error output and nothing else.
    #[track_caller]
    pub fn refused(self, code: i32) -> Self {
        let run = self.exits(code);
        assert!(run.err.contains("error: "), "{}", run.err);
        assert!(run.err.contains("\nhint: "), "{}", run.err);
        assert_eq!(run.out, "", "an error says nothing on standard output");
        run
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

/// A directory with everything of one installation. Its daemon ends with it.
pub struct Home {
    dir: TempDir,
    env: Vec<(String, String)>,
}

impl Home {
    /// No vault, no settings.
    pub fn bare() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("emptor-")
            .tempdir()
            .expect("a directory");
        std::fs::write(dir.path().join("passphrase"), PASSPHRASE).expect("written");
        Self {
            dir,
            env: Vec::new(),
        }
    }

    /// An open vault, and settings for the shops.
    pub fn new(shops: &Shops) -> Self {
        let home = Self::locked(&shops.settings());
        home.unlock();
        home
    }

    /// A closed vault, with settings and no daemon.
    pub fn locked(settings: &str) -> Self {
        let home = Self::bare();
        home.settings(settings);
        home.make_vault();
        home
    }

    /// Makes the vault with the cheapest derivation allowed; returns the recovery code.
    pub fn make_vault(&self) -> String {
        let secret = SecretString::from(PASSPHRASE);
        let options = Options {
            kdf: KdfCost::FLOOR,
            ..Options::default()
        };
        std::fs::create_dir_all(self.path("state")).expect("made");
        private(&self.path("state"));
        let (vault, code) = Vault::create(&self.vault_paths(), &secret, options).expect("a vault");
        vault.lock();
        emptor::vault::ExposeSecret::expose_secret(&code.reveal()).to_string()
    }

    pub fn vault_paths(&self) -> VaultPaths {
        let paths = self.paths();
        VaultPaths::new(paths.vault, paths.anchor)
    }

    pub fn paths(&self) -> Paths {
        Paths::under(self.dir.path()).expect("a short path")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The same as text, for arguments.
    pub fn arg(&self, name: &str) -> String {
        self.path(name)
            .into_os_string()
            .into_string()
            .expect("UTF-8")
    }

    pub fn settings(&self, text: &str) {
        std::fs::write(self.path("config.toml"), text).expect("written");
    }

    /// Sets a variable for all commands and so for the daemon they start.
    pub fn set_env(&mut self, key: &str, value: &str) {
        self.env.push((key.into(), value.into()));
    }

    pub fn unlock(&self) {
        self.run(&["unlock", "--passphrase-file", &self.arg("passphrase")])
            .ok();
    }

    /// The program with this home and nothing of the tester's own environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emptor"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("EMPTOR_HOME", self.dir.path())
            .env("LC_ALL", "en_US.UTF-8")
            .env("TZ", "UTC")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        finish(self.command(args))
    }

    /// Runs a query with `--json`.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        self.run(&args).ok().json()
    }

    /// Reads everything now; returns what each page gave.
    #[track_caller]
    pub fn crawl(&self) -> Vec<Value> {
        let progress = self.json(&["crawl", "--now"]);
        assert_eq!(progress["finished"], true, "{progress}");
        progress["results"].as_array().expect("results").clone()
    }

    /// The process id of the daemon, if one runs.
    pub fn daemon(&self) -> Option<u32> {
        let run = self.run(&["daemon", "status", "--json"]);
        let status: Value = serde_json::from_str(&run.out).ok()?;
        u32::try_from(status["pid"].as_u64()?).ok()
    }

    pub fn stop(&self) {
        let pid = self.daemon();
        self.run(&["daemon", "stop"]).ok();
        if let Some(pid) = pid {
            wait("the daemon to end", || !is_running(pid));
        }
    }

    /// Ends the daemon as a power cut would.
    pub fn kill(&self) {
        let pid = self.daemon().expect("a daemon");
        signal(pid, "KILL");
        wait("the daemon to end", || !is_running(pid));
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.paths().log).unwrap_or_default()
    }

    /// The vault while the daemon does not run.
    pub fn with_store(&self, f: impl FnOnce(&Store)) {
        let secret = Secret::Passphrase(SecretString::from(PASSPHRASE));
        let mut opened = None;
        // A process that another test is just starting holds the lock until it runs.
        wait("the vault", || {
            opened = Vault::open(&self.vault_paths(), &secret, Options::default()).ok();
            opened.is_some()
        });
        let store = Store::open(opened.expect("opened")).expect("a store");
        f(&store);
        store.vault().lock();
    }

    /// Changes the vault behind the daemon's back.
    pub fn tamper(&self, change: impl FnOnce(&Store)) {
        self.stop();
        self.with_store(change);
        self.unlock();
    }

    /// Makes a list so old that what it costs less than at first is news.
    pub fn age_list(&self, list: &str) {
        self.tamper(|store| {
            let mut watch = store.list_watch(list).expect("read");
            let standing = watch.standing.as_mut().expect("added up");
            standing.at -= SignedDuration::from_hours(48);
            let written = store.change(|tx| tx.put_list_watch(&watch));
            written.expect("written");
        });
    }

    /// All files below the home.
    pub fn files(&self) -> Vec<PathBuf> {
        crate::vault_support::files(self.dir.path())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some(pid) = self.daemon() else { return };
        let _ = self.command(&["daemon", "stop"]).output();
        let end = Instant::now() + Duration::from_secs(5);
        while is_running(pid) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        if is_running(pid) {
            signal(pid, "KILL");
        }
    }
}

/// Runs a command to its end.
pub fn finish(mut command: Command) -> Run {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let drain = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8(bytes).expect("UTF-8")
        })
    };
    let out = drain(Box::new(child.stdout.take().expect("piped")));
    let err = drain(Box::new(child.stderr.take().expect("piped")));
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            panic!("{command:?} did not end");
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    Run {
        code: status.code().unwrap_or(-1),
        out: out.join().expect("read"),
        err: err.join().expect("read"),
    }
}

/// Waits for something that happens in another process.
#[track_caller]
pub fn wait(what: &str, mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether any thread of a process is alive. A process that nobody waits for stays as a
/// zombie, and its first thread may be one while others still hold sockets.
pub fn is_running(pid: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    threads.into_iter().flatten().flatten().any(|thread| {
        std::fs::read_to_string(thread.path().join("stat")).is_ok_and(|stat| {
            let state = stat.rsplit(") ").next().unwrap_or_default();
            !state.starts_with(['Z', 'X'])
        })
    })
}

pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(status.is_ok_and(|s| s.success()), "kill -{name} {pid}");
}

pub fn private(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).expect("set");
}

pub fn find<'a>(list: &'a [Value], key: &str, value: &str) -> &'a Value {
    list.iter()
        .find(|v| v[key].as_str().is_some_and(|t| t.contains(value)))
        .unwrap_or_else(|| panic!("no {key} with {value} in {list:#?}"))
}

/// The fields of a document and the kind of each, for what scripts rely on. A list is as
/// its first element.
pub fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(list) => match list.first() {
            Some(first @ Value::Object(_)) => json!([shape(first)]),
            // Words for people come and go.
            _ => json!("list"),
        },
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), shape(v))).collect(),
    }
}

/// What differs from run to run, made alike.
pub fn redacted(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(redacted).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), redacted(v))).collect(),
        Value::String(text) => json!(redacted_text(text)),
        other => other.clone(),
    }
}

fn redacted_text(text: &str) -> String {
    if text.parse::<emptor::model::time::Timestamp>().is_ok() {
        return "[time]".into();
    }
    let hex = |t: &str| t.len() >= 8 && t.bytes().all(|b| b.is_ascii_hexdigit());
    if hex(text) {
        return "[id]".into();
    }
    // The port of a shop is the system's choice.
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(".localhost:") {
        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let _ = write!(out, "{before}.localhost");
        rest = &after[end..];
    }
    out + rest
}

/// One answer of a shop.
#[derive(Clone, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The body never ends.
    pub endless: bool,
    /// The answer comes after so long.
    pub delay: Duration,
}

impl Page {
    pub fn html(text: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "text/html; charset=utf-8".into())],
            body: text.into().into_bytes(),
            ..Self::default()
        }
    }

    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A product page in the style of many shops: JSON-LD, and the same price to be seen.
pub fn product(name: &str, price: &str, currency: &str, stock: &str) -> Page {
    product_with(name, price, currency, stock, json!({}))
}

/// The same, with more in the JSON-LD product.
pub fn product_with(name: &str, price: &str, currency: &str, stock: &str, more: Value) -> Page {
    let mut data = json!({
        "@context": "https://schema.org", "@type": "Product", "name": name,
        "offers": {"@type": "Offer", "price": price, "priceCurrency": currency,
            "availability": format!("https://schema.org/{stock}"),
            "itemCondition": "https://schema.org/NewCondition"},
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        data[key] = value.clone();
    }
    let shown = name.replace('&', "&amp;").replace('<', "&lt;");
    let button = if stock == "OutOfStock" {
        "Sold out"
    } else {
        "Add to cart"
    };
    Page::html(format!(
        "<!doctype html><html lang=\"en\"><head><title>{shown}</title>\
         <script type=\"application/ld+json\">{data}</script></head><body><h1>{shown}</h1>\
         <p class=\"price\">{price} {currency}</p><button>{button}</button></body></html>"
    ))
}

/// A request as a shop or provider saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub host: String,
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// What was answered.
    pub status: u16,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }
}

type Hook = Arc<dyn Fn(&Seen) + Send + Sync>;

#[derive(Default)]
struct Stock {
    pages: HashMap<(String, String), Page>,
    seen: Vec<Seen>,
    hook: Option<Hook>,
}

/// Shops on one loopback port, told apart by their names: `alpha` is `alpha.localhost`.
pub struct Shops {
    pub port: u16,
    names: Vec<String>,
    stock: Arc<Mutex<Stock>>,
}

impl Shops {
    pub fn open(names: &[&str]) -> Self {
        let stock = Arc::new(Mutex::new(Stock::default()));
        let app = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&stock));
        Self {
            port: serve(app),
            names: names.iter().map(ToString::to_string).collect(),
            stock,
        }
    }

    pub fn host(&self, name: &str) -> String {
        format!("{name}.localhost:{}", self.port)
    }

    pub fn url(&self, name: &str, path: &str) -> String {
        format!("http://{}{path}", self.host(name))
    }

    /// Settings that let the program read these shops, quickly.
    pub fn settings(&self) -> String {
        self.settings_with("gap_seconds = 0", "")
    }

    pub fn settings_with(&self, crawl: &str, more: &str) -> String {
        let hosts: Vec<String> = self
            .names
            .iter()
            .map(|n| format!("\"{}\"", self.host(n)))
            .collect();
        format!(
            "[crawl]\n{crawl}\n[net]\nallow_private = [{}]\n[fx]\nsource = \"\"\n{more}\n",
            hosts.join(", ")
        )
    }

    pub fn put(&self, name: &str, path: &str, page: Page) {
        let key = (self.host(name), path.to_owned());
        self.stock.lock().expect("lock").pages.insert(key, page);
    }

    /// Calls `hook` with each request before it is answered.
    pub fn on_request(&self, hook: impl Fn(&Seen) + Send + Sync + 'static) {
        self.stock.lock().expect("lock").hook = Some(Arc::new(hook));
    }

    /// The requests of one shop so far.
    pub fn seen(&self, name: &str) -> Vec<Seen> {
        let host = self.host(name);
        let all = self.all();
        all.into_iter().filter(|s| s.host == host).collect()
    }

    pub fn all(&self) -> Vec<Seen> {
        self.stock.lock().expect("lock").seen.clone()
    }

    /// The paths asked for, in order.
    pub fn paths(&self, name: &str) -> Vec<String> {
        self.seen(name).into_iter().map(|s| s.path).collect()
    }
}

async fn answer(State(stock): State<Arc<Mutex<Stock>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20)
        .await
        .unwrap_or_default();
    let mut seen = Seen {
        at: Instant::now(),
        host: String::new(),
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body: body.to_vec(),
        status: 0,
    };
    seen.host = seen.header("host").to_owned();
    let (page, hook) = {
        let stock = stock.lock().expect("lock");
        let page = |path: &str| {
            stock
                .pages
                .get(&(seen.host.clone(), path.to_owned()))
                .cloned()
        };
        let page = page(&seen.path).or_else(|| page(head.uri.path()));
        (page, stock.hook.clone())
    };
    if let Some(hook) = hook {
        let request = seen.clone();
        // Hooks run the program, which takes its time.
        let _ = tokio::task::spawn_blocking(move || hook(&request)).await;
    }
    let page = page.unwrap_or_else(|| match head.uri.path() {
        "/robots.txt" => Page::html("User-agent: *\nAllow: /\n"),
        _ => Page::html("<h1>Not found</h1>").status(404),
    });
    let tag = page.headers.iter().find(|(n, _)| *n == "etag");
    let unchanged = tag.is_some_and(|(_, tag)| seen.header("if-none-match") == tag);
    seen.status = if unchanged { 304 } else { page.status };
    let status = StatusCode::from_u16(seen.status).expect("a status");
    stock.lock().expect("lock").seen.push(seen);
    tokio::time::sleep(page.delay).await;
    let mut response = Response::builder().status(status);
    for (name, value) in &page.headers {
        response = response.header(*name, value);
    }
    let body = if unchanged {
        Body::empty()
    } else if page.endless {
        let chunk = Bytes::from(vec![b' '; 64 << 10]);
        Body::from_stream(futures_util::stream::repeat_with(move || {
            Ok::<_, std::io::Error>(chunk.clone())
        }))
    } else {
        Body::from(page.body)
    };
    response.body(body).expect("a response")
}

/// Runs `emptor lab` to its end, with something to read.
pub fn lab(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_emptor"))
        .arg("lab")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start emptor");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // Beside the reading of answers: both pipes may be full at once.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that refuses early does not read everything.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("emptor ends")
    })
}
