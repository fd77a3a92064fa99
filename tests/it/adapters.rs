//! The person's adapter directory, watched for real.

use emptor::market::adapters::{AdapterEvent, Adapters, watch};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

const GOOD: &str = r#"
format = 1
id = "corner"
version = "1.0.0"
name = "Corner shop"
hosts = ["corner.example"]
[product.fields]
price = ".price"
"#;

/// The next event; a watch that says nothing for so long has failed.
async fn next(events: &mut Receiver<AdapterEvent>) -> AdapterEvent {
    tokio::time::timeout(Duration::from_secs(30), events.recv())
        .await
        .expect("an event in time")
        .expect("the watch lives")
}

fn version(adapters: &Adapters) -> Option<String> {
    let registry = adapters.current();
    let adapter = registry.by_domain("corner.example")?;
    Some(adapter.manifest.version.to_string())
}

/// As editors do: a new file under another name, renamed over the old one.
fn replace(file: &Path, text: &str) {
    let temporary = file.with_extension("toml~");
    fs::write(&temporary, text).expect("write");
    fs::rename(&temporary, file).expect("rename");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_seen_and_faults_keep_the_old_version() {
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path().join("adapters");
    let (adapters, first) = watch(&home).expect("watched");
    assert!(first.is_empty() && home.is_dir());
    let mut events = adapters.events();

    let folder = home.join("corner");
    fs::create_dir(&folder).expect("a folder");
    let file = folder.join("adapter.toml");
    fs::write(&file, GOOD).expect("write");
    assert!(matches!(next(&mut events).await, AdapterEvent::Loaded { id, .. } if id == "corner"));
    assert_eq!(version(&adapters).as_deref(), Some("1.0.0"));

    replace(&file, &GOOD.replace("1.0.0", "1.1.0"));
    assert!(matches!(
        next(&mut events).await,
        AdapterEvent::Loaded { .. }
    ));
    assert_eq!(version(&adapters).as_deref(), Some("1.1.0"));

    replace(&file, &GOOD.replace("price =", "prise ="));
    let AdapterEvent::Broken { error, .. } = next(&mut events).await else {
        panic!("a fault is told");
    };
    assert!(
        error.contains("adapter.toml:8: product.fields.prise: "),
        "{error}"
    );
    assert!(error.ends_with("did you mean `price`?"), "{error}");
    assert_eq!(version(&adapters).as_deref(), Some("1.1.0"));

    fs::remove_dir_all(&folder).expect("removed");
    assert!(matches!(next(&mut events).await, AdapterEvent::Removed { id } if id == "corner"));
    assert_eq!(version(&adapters), None);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("write");
    assert!(watch(&file.join("adapters")).is_err());
}
