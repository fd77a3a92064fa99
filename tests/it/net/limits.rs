//! Limits: answers that are too large, too slow, or broken.

use super::*;
use std::io::{BufRead, BufReader, Read};

fn strict() -> Limits {
    Limits {
        compressed: 256 << 10,
        decoded: 1 << 20,
        // A busy machine must not be taken for a slow shop.
        first_byte: Duration::from_secs(30),
        connect: Duration::from_secs(30),
        total: Duration::from_secs(120),
        rate_window: Duration::from_secs(60),
        ..Limits::default()
    }
}

/// For shops that take their time.
fn impatient() -> Limits {
    Limits {
        first_byte: Duration::from_secs(1),
        connect: Duration::from_secs(1),
        total: Duration::from_secs(3),
        rate_bytes: 1000,
        rate_window: Duration::from_secs(2),
        ..strict()
    }
}

async fn hostile(script: impl Fn() -> Script + Send + Sync + 'static) -> (Server, FetchError) {
    asked(strict(), script).await
}

async fn slow(script: impl Fn() -> Script + Send + Sync + 'static) -> FetchError {
    asked(impatient(), script).await.1
}

async fn asked(
    limits: Limits,
    script: impl Fn() -> Script + Send + Sync + 'static,
) -> (Server, FetchError) {
    let shop = Server::start(move |r: &Request| match r.path.as_str() {
        "/robots.txt" => Script::Send(answer(404, &[], b"")),
        _ => script(),
    })
    .await;
    let config = NetConfig {
        limits,
        ..config(&[&shop])
    };
    let fetcher = Fetcher::new(config).expect("fetcher");
    let error = get(&fetcher, shop.url("/p")).await.expect_err("hostile");
    (shop, error)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n";

fn ok(rest: &[u8]) -> Vec<u8> {
    [OK, rest].concat()
}

#[tokio::test]
async fn a_body_of_ten_gigabytes_is_cut_early() {
    let (shop, error) = hostile(|| {
        Script::Drip(
            ok(b"content-length: 10000000000\r\n\r\n"),
            vec![b'x'; 64 << 10],
            Duration::ZERO,
        )
    })
    .await;
    assert!(
        matches!(
            error,
            FetchError::TooLarge {
                what: "announced",
                ..
            }
        ),
        "{error}"
    );
    // What is in the socket's buffers counts as sent.
    assert!(shop.sent() < 32 << 20, "{}", shop.sent());
}

#[tokio::test]
async fn endless_bodies_are_cut() {
    for head in [ok(b"\r\n"), ok(b"transfer-encoding: chunked\r\n\r\n")] {
        let chunked = head.windows(7).any(|w| w == b"chunked");
        let chunk = if chunked {
            [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat()
        } else {
            vec![b'x'; 0x4000]
        };
        let (shop, error) =
            hostile(move || Script::Drip(head.clone(), chunk.clone(), Duration::ZERO)).await;
        assert!(
            matches!(error, FetchError::TooLarge { limit: 262_144, .. }),
            "{error}"
        );
        assert_eq!(error.trouble(), Trouble::BadInput);
        assert!(shop.sent() < 32 << 20, "{}", shop.sent());
    }
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 64 << 20]).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let (_, error) =
        hostile(move || Script::Send(answer(200, &[("content-encoding", "gzip")], &gzip))).await;
    assert!(matches!(error, FetchError::Bomb(100)), "{error}");
    // 16 MiB of zeros as `brotli.compress(bytes(16 << 20), quality=11)` packs them.
    let brotli = [
        0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff,
        0xff, 0x7f, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0xdf,
    ];
    let (_, error) =
        hostile(move || Script::Send(answer(200, &[("content-encoding", "br")], &brotli))).await;
    assert!(matches!(error, FetchError::Bomb(100)), "{error}");
}

#[tokio::test]
async fn trickling_answers_are_dropped() {
    let error = slow(|| Script::Drip(ok(b"\r\n"), b"x".to_vec(), Duration::from_millis(20))).await;
    assert!(matches!(error, FetchError::TooSlow { .. }), "{error}");
    // Fast enough for the rate, but without end.
    let error =
        slow(|| Script::Drip(ok(b"\r\n"), vec![b'x'; 200], Duration::from_millis(10))).await;
    assert!(matches!(error, FetchError::Timeout(..)), "{error}");
    assert_eq!(error.trouble(), Trouble::VendorDown);
}

#[tokio::test]
async fn heads_without_end_are_dropped() {
    // A field a little at a time, fields at full speed, one huge field, many fields.
    let error = slow(|| {
        Script::Drip(
            OK.to_vec(),
            b"x-a: b\r\n".to_vec(),
            Duration::from_millis(50),
        )
    })
    .await;
    assert!(matches!(error, FetchError::Timeout(..)), "{error}");
    let (shop, error) = hostile(|| {
        Script::Drip(
            OK.to_vec(),
            b"x-a: bbbbbbbbbbbbbbbbbbbbb\r\n".repeat(200),
            Duration::ZERO,
        )
    })
    .await;
    assert!(!matches!(error, FetchError::Timeout(..)), "{error}");
    assert!(shop.sent() < 32 << 20, "{}", shop.sent());
    let (_, error) = hostile(|| {
        let field = format!("x: {}\r\ncontent-length: 1\r\n\r\nx", "y".repeat(100 << 10));
        Script::Send(ok(field.as_bytes()))
    })
    .await;
    assert!(
        matches!(error, FetchError::TooLarge { what: "header", .. }),
        "{error}"
    );
    let (_, error) = hostile(|| {
        let fields: String = (0..150).map(|i| format!("x-{i}: y\r\n")).collect();
        Script::Send(ok(format!("{fields}content-length: 1\r\n\r\nx").as_bytes()))
    })
    .await;
    assert!(
        matches!(
            error,
            FetchError::Transport { .. } | FetchError::TooLarge { .. }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn silence_and_broken_answers_are_errors() {
    let error = slow(|| Script::Silence).await;
    assert!(matches!(error, FetchError::Timeout(..)), "{error}");
    for bytes in [
        b"".as_slice(),
        b"\x00\x01\x02\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-encoding: br\r\n\r\n",
    ] {
        let (_, error) = hostile(move || Script::Send(bytes.to_vec())).await;
        let what = String::from_utf8_lossy(bytes);
        let trouble = error.trouble();
        assert!(
            matches!(trouble, Trouble::VendorDown | Trouble::BadInput),
            "{what}: {error}"
        );
    }
}

#[tokio::test]
async fn https_without_a_certificate_is_no_connection() {
    let shop = Server::start(|_: &Request| Script::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let mut url = shop.url("/");
    url.set_scheme("https").expect("scheme");
    let config = NetConfig {
        limits: strict(),
        ..config(&[&shop])
    };
    let fetcher = Fetcher::new(config).expect("fetcher");
    let error = get(&fetcher, url).await.expect_err("no TLS");
    assert_eq!(error.trouble(), Trouble::VendorDown, "{error}");
}

/// A server whose certificate nobody vouches for.
struct SelfSigned {
    process: std::process::Child,
    address: std::net::SocketAddr,
    /// Open as long as it runs: it would end at a closed pipe.
    _said: BufReader<std::process::ChildStdout>,
    _dir: tempfile::TempDir,
}

impl SelfSigned {
    /// `None` without the `openssl` program.
    fn start() -> Option<Self> {
        use std::process::{Command, Stdio};
        let dir = tempfile::tempdir().expect("folder");
        let openssl = |args: &str| {
            let mut command = Command::new("openssl");
            command.args(args.split(' ')).current_dir(dir.path());
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let made = openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
             -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem",
        )
        .status();
        if !made.is_ok_and(|s| s.success()) {
            let required = std::env::var_os("EMPTOR_REQUIRE_ALL").is_some_and(|v| v == "1");
            assert!(!required, "needs openssl");
            println!("skipped: needs openssl");
            return None;
        }
        // The system chooses the port, and s_server says which.
        let mut process = openssl("s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -www")
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssl runs");
        let mut said = BufReader::new(process.stdout.take().expect("piped"));
        let address = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let address = line.strip_prefix("ACCEPT ")?;
                Some(address.parse().expect("an address"))
            });
        Some(Self {
            process,
            address: address.expect("openssl s_server listens"),
            _said: said,
            _dir: dir,
        })
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused() {
    let Some(server) = SelfSigned::start() else {
        return;
    };
    let config = NetConfig {
        allow_private: vec![server.address.to_string()],
        ..config(&[])
    };
    let fetcher = Fetcher::new(config).expect("fetcher");
    let url: Url = format!("https://{}/", server.address).parse().expect("URL");
    let error = fetcher.get_api(url, "*/*", &[]).await.expect_err("refused");
    assert_eq!(error.trouble(), Trouble::VendorDown);
    assert!(error.to_string().contains("ertificate"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_an_error_too() {
    let names = Names::new(&[]);
    let fetcher =
        Fetcher::assemble(NetConfig::default(), Arc::new(SystemClock), names).expect("fetcher");
    let error = get(
        &fetcher,
        "http://no-such-shop.example/".parse().expect("URL"),
    )
    .await;
    let error = error.expect_err("no name");
    assert_eq!(error.trouble(), Trouble::VendorDown, "{error}");
    assert!(error.to_string().contains("no such name"), "{error}");
}
