//! Time and memory of a vault with many records, on the disk of the temporary directory
//! (`TMPDIR`). Beside it: `benches/peers/vault_sqlcipher.py`.
//!
//! `cargo bench --bench vault [-- RECORDS]`

use emptor::vault::{
    KdfCost, Log, Options, Secret, SecretString, Tree, Vault, VaultError, VaultPaths,
};
use std::hint::black_box;
use std::time::Instant;

const RECORDS: Tree = Tree::new(1, "records");
const PRICES: Log<String> = Log::new(Tree::new(2, "prices"));
const SIZE: usize = 1024;
const BATCH: usize = 1000;
const SINGLE: usize = 500;

/// Keys come in no order, as identifiers do: a fixed permutation of 0..n.
fn key(i: usize, n: usize) -> [u8; 16] {
    let shuffled = (i as u128 * 0x9E37_79B9_7F4A_7C15) % n as u128;
    (shuffled << 64 | i as u128).to_be_bytes()
}

fn value(i: usize) -> Vec<u8> {
    let mut state = i as u64 + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..SIZE).map(|_| next()).collect()
}

/// Resident memory in MiB: all of it, and the part not backed by files.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name));
        line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok())
            .map_or_else(|| "?".to_owned(), |kib| (kib / 1024).to_string())
    };
    format!(
        "RSS {} MiB, anonymous {} MiB",
        field("VmRSS:"),
        field("RssAnon:")
    )
}

fn report(what: &str, n: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{what:<28} {seconds:>9.3} s {:>12.0} /s   {}",
        n as f64 / seconds,
        memory()
    );
}

fn options() -> Options {
    Options {
        kdf: KdfCost::FLOOR,
        ..Options::default()
    }
}

fn key_file() -> Result<Secret, VaultError> {
    Secret::key_file(vec![7; 32])
}

fn main() -> Result<(), VaultError> {
    let n = std::env::args()
        .skip(1)
        .find_map(|a| a.parse().ok())
        .unwrap_or(100_000);
    let dir = tempfile::tempdir().map_err(|source| VaultError::Io {
        context: "a temporary directory".into(),
        source,
    })?;
    // Memory is that of a process that did only this: one process for each part.
    match std::env::var("VAULT_BENCH_OPEN") {
        Ok(path) => return reopen(path.as_ref(), n),
        Err(_) => println!("{n} records of {SIZE} bytes"),
    }
    records(&dir.path().join("records"), n)?;
    observations(&dir.path().join("observations"), n)
}

fn create(dir: &std::path::Path) -> Result<Vault, VaultError> {
    let paths = VaultPaths::new(dir.join("vault"), dir.join("state/anchor"));
    let passphrase = SecretString::from("only for this benchmark".to_owned());
    let (vault, _) = Vault::create(&paths, &passphrase, options())?;
    vault.add_slot(&key_file()?, "")?;
    Ok(vault)
}

fn again(dir: &std::path::Path, n: usize) {
    let exe = std::env::current_exe().unwrap_or_default();
    let mut command = std::process::Command::new(exe);
    let _ = command
        .arg(n.to_string())
        .env("VAULT_BENCH_OPEN", dir)
        .status();
}

fn records(dir: &std::path::Path, n: usize) -> Result<(), VaultError> {
    let values: Vec<_> = (0..n).map(value).collect();
    let vault = create(dir)?;
    let start = Instant::now();
    for batch in (0..n).collect::<Vec<_>>().chunks(BATCH) {
        vault.transaction(|tx| {
            batch
                .iter()
                .try_for_each(|i| tx.put(RECORDS, &key(*i, n), &values[*i]))
        })?;
    }
    report("load, 1000 a transaction", n, start);
    let start = Instant::now();
    for (i, value) in values.iter().enumerate().take(SINGLE) {
        vault.transaction(|tx| tx.put(RECORDS, &key(i, n), value))?;
    }
    report("durable write, one each", SINGLE, start);
    drop(values);
    let start = Instant::now();
    vault.release_memory()?;
    report("release memory", 1, start);
    let start = Instant::now();
    vault.lock();
    report("close", 1, start);
    again(dir, n);
    let store = std::fs::read_dir(dir.join("vault"))
        .into_iter()
        .flatten()
        .flatten();
    for entry in store.filter(|e| e.file_name().to_string_lossy().starts_with("store.")) {
        let _ = std::fs::remove_dir_all(entry.path());
    }
    println!("without the store:");
    again(dir, n);
    Ok(())
}

/// A year of price history: a thousand products, observed daily or so.
fn observations(dir: &std::path::Path, n: usize) -> Result<(), VaultError> {
    println!("{n} log entries of about 100 bytes in 1000 streams");
    let vault = create(dir)?;
    let start = Instant::now();
    for round in 0..n.div_ceil(1000) {
        vault.transaction(|tx| {
            (0..1000u32).try_for_each(|stream| {
                let entry = format!("{round:0>98}");
                PRICES.append(tx, &stream.to_be_bytes(), &entry)
            })
        })?;
    }
    report("append, 1000 a transaction", n, start);
    let start = Instant::now();
    vault.release_memory()?;
    report("release memory", 1, start);
    vault.lock();
    again(dir, n);
    Ok(())
}

/// In a process of its own: opens what the parent wrote.
fn reopen(dir: &std::path::Path, n: usize) -> Result<(), VaultError> {
    let paths = VaultPaths::new(dir.join("vault"), dir.join("state/anchor"));
    let start = Instant::now();
    let vault = Vault::open(&paths, &key_file()?, options())?;
    report("open", 1, start);
    std::thread::sleep(std::time::Duration::from_secs(2));
    println!("idle: {}", memory());
    if vault.count(RECORDS)? > 0 {
        let start = Instant::now();
        for i in 0..n {
            black_box(vault.get(RECORDS, &key((i * 7919) % n, n))?);
        }
        report("read, one by one", n, start);
        let start = Instant::now();
        let mut seen = 0;
        vault.scan_with(RECORDS, .., |_, value| {
            seen += black_box(value).len();
            true
        })?;
        report("read, all in order", n, start);
        assert_eq!(seen, n * SIZE);
    } else {
        let start = Instant::now();
        let mut seen = 0;
        for stream in PRICES.streams(&vault)? {
            seen += black_box(PRICES.read(&vault, &stream)?).len();
        }
        report("read, stream by stream", seen, start);
    }
    let start = Instant::now();
    vault.release_memory()?;
    report("release memory", 1, start);
    Ok(())
}
