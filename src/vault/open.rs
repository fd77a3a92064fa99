//! Making and opening vaults.

use super::anchor::{self, Anchor, Found, Mark};
use super::crypto::KeyPage;
use super::disk::{private_dir, replace};
use super::entry::Tip;
use super::error::{Result, VaultError};
use super::frame::Kind;
use super::header::{COPY, Header, Unlocked};
use super::journal::{Files, Journal, ROTATE, day};
use super::recover::{End, Failed, Replay, Replayed, origin};
use super::secret::check_passphrase;
use super::store::Store;
use super::{
    Inner, Notice, OnDamage, Options, RecoveryCode, Secret, SecretString, Vault, VaultPaths, View,
    Writer,
};
use rustix::fs::{FlockOperation, flock};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

/// Space kept free so that a full disk does not stop the vault from opening.
const BALLAST: usize = 8 * 1024 * 1024;

/// How long a lock is waited for. A child that is being started has a copy of every open file
/// until it executes its program, and with it the lock of a vault closed meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);
const RETRY: Duration = Duration::from_millis(5);

/// Takes the vault's lock, before any other file is touched.
fn lock(dir: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join("LOCK"))
        .map_err(|e| VaultError::io("opening the lock", e))?;
    let end = Instant::now() + PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < end => {
                std::thread::sleep(RETRY);
            }
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(VaultError::AlreadyOpen),
            Err(e) => return Err(VaultError::io("locking", e.into())),
        }
    }
}

/// Writes the header: copy B, then copy A, each synced, so that one is always whole.
pub(super) fn write_header(files: &Files, keys: &KeyPage, header: &mut Header) -> Result<()> {
    let copy = header.encode(keys)?;
    let path = files.header();
    let written = || -> std::io::Result<()> {
        let whole = std::fs::metadata(&path).is_ok_and(|m| m.len() == 2 * COPY as u64);
        if !whole {
            return replace(&*files.disk, &path, &copy.repeat(2));
        }
        let file = files.disk.open(&path)?;
        file.write_at(&copy, COPY as u64)?;
        file.sync()?;
        file.write_at(&copy, 0)?;
        file.sync()
    };
    written().map_err(|e| VaultError::io("writing the header", e))
}

fn ballast(files: &Files) -> bool {
    let path = files.dir.join("ballast");
    if std::fs::metadata(&path).is_ok_and(|m| m.len() == BALLAST as u64) {
        return true;
    }
    // Real blocks, not a hole; the contents do not matter.
    let made = files
        .disk
        .create(&path)
        .and_then(|file| file.write_at(&vec![0; BALLAST], 0));
    if made.is_err() {
        let _ = files.disk.remove(&path);
    }
    made.is_ok()
}

fn make_dirs(files: &Files) -> Result<()> {
    for dir in [
        files.dir.clone(),
        files.dir_of(Kind::Journal),
        files.dir_of(Kind::Checkpoint),
    ] {
        private_dir(&dir).map_err(|e| VaultError::io(format!("making {}", dir.display()), e))?;
    }
    Ok(())
}

pub(super) fn create(
    paths: &VaultPaths,
    passphrase: &SecretString,
    options: Options,
) -> Result<(Vault, RecoveryCode)> {
    check_passphrase(passphrase)?;
    let files = Files {
        dir: paths.dir.clone(),
        disk: Arc::clone(&options.disk),
    };
    private_dir(&files.dir).map_err(|e| VaultError::io("making the vault's directory", e))?;
    let lock = lock(&files.dir)?;
    if Vault::exists(paths) {
        return Err(VaultError::Exists(paths.dir.clone()));
    }
    make_dirs(&files)?;
    remove_leftovers(&files)?;

    let (mut header, keys) = Header::create()?;
    let tip = Tip {
        hlc: origin(header.device)
            .hlc
            .tick((options.clock)(), header.device),
        ..origin(header.device)
    };
    let code = RecoveryCode::generate()?;
    let secret = Secret::Passphrase(passphrase.clone());
    let slot = header.add_slot(&keys, &secret, options.kdf, "passphrase", day(&tip))?;
    header.mark_proven(slot);
    let recovery = Secret::Recovery(code.clone());
    header.add_slot(&keys, &recovery, options.kdf, "recovery code", day(&tip))?;

    let store = Store::fresh(&files.dir)?;
    store
        .complete(&keys, 0)
        .map_err(|broken| VaultError::io("making the store", std::io::Error::other(broken.0)))?;
    let journal = Journal::start(&files, &keys, &tip)?;
    // The header is what makes the directory a vault: last.
    write_header(&files, &keys, &mut header)?;
    let keys = Arc::new(keys);
    let mark = Mark {
        generation: header.generation,
        tip,
    };
    let (anchor, anchored) = Anchor::create(&*files.disk, &keys, &paths.anchor, &mark);
    let mut writer = Writer {
        keys: Arc::clone(&keys),
        header,
        journal: Some(journal),
        anchor,
        read_only: None,
        notices: Vec::new(),
        since_checkpoint: 0,
        checkpoint_len: 0,
        _lock: lock,
    };
    if let Err(error) = anchored {
        writer.notice(Notice::AnchorUnwritable(error.to_string()));
    }
    let view = View {
        keys,
        index: super::Index::default(),
        store,
        tip,
        unstored: HashMap::new(),
    };
    Ok((finish(files, options, writer, view), code))
}

/// What an interrupted `create` left: without a header it opens for nobody.
fn remove_leftovers(files: &Files) -> Result<()> {
    for kind in [Kind::Journal, Kind::Checkpoint] {
        for (_, path) in files.list(kind)? {
            files
                .disk
                .remove(&path)
                .map_err(|e| VaultError::io("removing an unfinished vault", e))?;
        }
    }
    Ok(())
}

fn finish(files: Files, options: Options, mut writer: Writer, view: View) -> Vault {
    if !writer.keys.is_locked() {
        writer.notice(Notice::KeysNotLocked);
    }
    if writer.read_only.is_none() && !ballast(&files) {
        writer.notice(Notice::NoBallast);
    }
    view.store.remove_others(&files.dir);
    Vault {
        inner: Arc::new(Inner {
            files,
            options,
            writer: Mutex::new(Some(writer)),
            view: RwLock::new(Some(view)),
        }),
    }
}

/// Replays from the newest checkpoint that is intact. Also returns what was wrong with
/// newer ones.
pub(super) fn replay_newest(replay: &Replay<'_>, files: &Files) -> Result<(Replayed, Vec<String>)> {
    match try_newest(replay, files)? {
        (Ok(replayed), damaged) => Ok((replayed, damaged)),
        (Err(broken), _) => Err(VaultError::io(
            "writing the store",
            std::io::Error::other(broken.0),
        )),
    }
}

type Tried = (Result<Replayed, super::Broken>, Vec<String>);

fn try_newest(replay: &Replay<'_>, files: &Files) -> Result<Tried> {
    let mut damaged = Vec::new();
    let checkpoints = files.list(Kind::Checkpoint)?;
    let candidates = checkpoints.iter().rev().map(Some).chain([None]);
    for checkpoint in candidates {
        match replay.run(checkpoint) {
            Ok(replayed) => return Ok((Ok(replayed), damaged)),
            Err(Failed::Checkpoint(what)) => damaged.push(what),
            Err(Failed::Store(broken)) => return Ok((Err(broken), damaged)),
            Err(Failed::Vault(error)) => return Err(error),
        }
    }
    Err(VaultError::damaged("no checkpoint can be read", 0, None))
}

/// A state found on disk, and what there is to say about it.
struct State {
    replayed: Replayed,
    store: Store,
    notices: Vec<Notice>,
    /// Whether a checkpoint must be written before the journal can go on.
    checkpoint: bool,
    read_only: Option<String>,
}

pub(super) fn open(paths: &VaultPaths, secret: &Secret, options: Options) -> Result<Vault> {
    let files = Files {
        dir: paths.dir.clone(),
        disk: Arc::clone(&options.disk),
    };
    if !files.dir.is_dir() {
        return Err(VaultError::Missing(paths.dir.clone()));
    }
    let lock = lock(&files.dir)?;
    let bytes = match std::fs::read(files.header()) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(VaultError::Missing(paths.dir.clone()));
        }
        Err(e) => return Err(VaultError::io("reading the header", e)),
    };
    make_dirs(&files)?;
    let Unlocked {
        mut header,
        keys,
        slot,
        repair,
    } = Header::unlock(&bytes, secret)?;
    let keys = Arc::new(keys);
    let found = anchor::find(&keys, &paths.anchor)?;
    let state = match load(
        &files,
        &keys,
        header.device,
        &found,
        header.generation,
        options.on_damage,
    ) {
        // sled cannot open while the disk is full: give it the ballast.
        Err(VaultError::DiskFull) => {
            let _ = files.disk.remove(&files.dir.join("ballast"));
            load(
                &files,
                &keys,
                header.device,
                &found,
                header.generation,
                options.on_damage,
            )?
        }
        other => other?,
    };
    let State {
        replayed,
        store,
        mut notices,
        checkpoint,
        read_only,
    } = state;
    match found {
        Found::Missing => notices.push(Notice::AnchorMissing),
        Found::Bad | Found::Good(_, false) => notices.push(Notice::AnchorDamaged),
        Found::Good(_, true) => {}
    }
    if read_only.is_none() {
        let news = header.mark_proven(slot);
        if repair {
            notices.push(Notice::HeaderRepaired);
        }
        if repair || news {
            write_header(&files, &keys, &mut header)?;
        }
    }
    let journal = match &replayed.last {
        Some((path, len)) if !checkpoint && read_only.is_none() => {
            let torn = replayed.end == End::Torn;
            (*len < ROTATE || torn)
                .then(|| Journal::resume(&files, path, *len, torn))
                .transpose()?
        }
        _ => None,
    };
    let mark = Mark {
        generation: header.generation,
        tip: replayed.tip,
    };
    let (anchor, anchored) = if read_only.is_none() && !checkpoint {
        Anchor::create(&*files.disk, &keys, &paths.anchor, &mark)
    } else {
        (Anchor::closed(), Ok(()))
    };
    let mut writer = Writer {
        keys: Arc::clone(&keys),
        header,
        journal,
        anchor,
        read_only,
        notices: Vec::new(),
        since_checkpoint: replayed.bytes,
        checkpoint_len: 0,
        _lock: lock,
    };
    let rebuilt = notices.contains(&Notice::StoreRebuilt);
    for notice in notices {
        writer.notice(notice);
    }
    if let Err(error) = anchored {
        writer.notice(Notice::AnchorUnwritable(error.to_string()));
    }
    let broken = replayed.broken.clone();
    let view = View {
        keys: Arc::clone(&keys),
        index: replayed.index,
        store,
        tip: replayed.tip,
        unstored: HashMap::new(),
    };
    let vault = finish(files, options, writer, view);
    if checkpoint {
        vault.inner.go_on_from_here(&broken, paths, &mark)?;
    }
    // Replaying reads much that is not kept, and filling a store even more.
    if rebuilt {
        vault.release_memory()?;
    } else {
        super::locked::trim_heap();
    }
    Ok(vault)
}

impl Inner {
    /// Makes the present state the new start of the journal, after a repair.
    fn go_on_from_here(
        &self,
        broken: &[std::path::PathBuf],
        paths: &VaultPaths,
        mark: &Mark,
    ) -> Result<()> {
        let mut guard = self.writer();
        let writer = guard.as_mut().ok_or(VaultError::Locked)?;
        self.checkpoint(writer, broken)?;
        let (anchor, anchored) =
            Anchor::create(&*self.files.disk, &writer.keys, &paths.anchor, mark);
        writer.anchor = anchor;
        if let Err(error) = anchored {
            writer.notice(Notice::AnchorUnwritable(error.to_string()));
        }
        Ok(())
    }
}

fn load(
    files: &Files,
    keys: &KeyPage,
    device: u32,
    found: &Found,
    generation: u64,
    on_damage: OnDamage,
) -> Result<State> {
    let anchor = match found {
        Found::Good(mark, _) => Some(mark),
        Found::Missing | Found::Bad => None,
    };
    let mut notices = Vec::new();
    let opened = Store::open_newest(&files.dir);
    let applied = opened.as_ref().and_then(|store| store.applied(keys));
    let mut existing = applied.and(opened);

    let run = |store: &Store, applied| {
        let replay = Replay {
            files,
            keys,
            store,
            applied,
            limit: u64::MAX,
            anchor,
            origin: origin(device),
        };
        try_newest(&replay, files)
    };
    // With the existing store if it is not behind the checkpoint; else with a new one.
    let newest = files
        .list(Kind::Checkpoint)?
        .last()
        .map_or(0, |(seq, _)| *seq);
    let mut result = None;
    if let Some(store) = existing.take_if(|_| applied.is_some_and(|a| a >= newest)) {
        match run(&store, applied)? {
            (Ok(replayed), damaged) => result = Some((replayed, store, damaged)),
            (Err(_), _) => drop(store),
        }
    }
    let (mut replayed, mut store, damaged) = match result {
        Some(result) => result,
        None => {
            drop(existing);
            let store = Store::fresh(&files.dir)?;
            let (replayed, damaged) = run(&store, None)?;
            let replayed = replayed.map_err(|broken| {
                VaultError::io("writing the store", std::io::Error::other(broken.0))
            })?;
            notices.push(Notice::StoreRebuilt);
            (replayed, store, damaged)
        }
    };
    notices.extend(damaged.into_iter().map(Notice::CheckpointDamaged));
    let store_ahead = applied.is_some_and(|a| a > replayed.tip.seq);
    let problem = problem(&replayed, anchor, store_ahead, generation);
    let Some(problem) = problem else {
        if replayed.end == End::Torn {
            notices.push(Notice::TornWrite);
        }
        let checkpoint = notices
            .iter()
            .any(|n| matches!(n, Notice::CheckpointDamaged(_)));
        return Ok(State {
            replayed,
            store,
            notices,
            checkpoint,
            read_only: None,
        });
    };

    // The second copy of everything is the store, and the anchor can vouch for it.
    if let Some(mark) = anchor
        && generation >= mark.generation
        && applied == Some(mark.tip.seq)
        && let Ok(Some((index, sum))) = store.survey(keys)
        && sum.to_bytes() == mark.tip.set_hash
        && index.total() == mark.tip.count
    {
        notices.push(Notice::JournalRepaired(problem));
        return Ok(State {
            replayed: Replayed {
                index,
                tip: mark.tip,
                ..replayed
            },
            store,
            notices,
            checkpoint: true,
            read_only: None,
        });
    }
    let expected = anchor.map(|mark| mark.tip.seq);
    if on_damage == OnDamage::Refuse {
        return Err(VaultError::damaged(problem, replayed.tip.seq, expected));
    }
    // The store may hold more than the journal: start from an empty one.
    drop(store);
    store = Store::fresh(&files.dir)?;
    let (again, _) = run(&store, None)?;
    replayed = again
        .map_err(|broken| VaultError::io("writing the store", std::io::Error::other(broken.0)))?;
    let lost = expected.unwrap_or(replayed.tip.seq);
    let read_only = (on_damage == OnDamage::ReadOnly).then(|| problem.clone());
    notices.push(Notice::LossAccepted(replayed.tip.seq, lost));
    Ok(State {
        replayed,
        store,
        notices,
        checkpoint: read_only.is_none(),
        read_only,
    })
}

/// What is wrong with the state the journal led to, if anything.
fn problem(
    replayed: &Replayed,
    anchor: Option<&Mark>,
    store_ahead: bool,
    generation: u64,
) -> Option<String> {
    if let End::Broken(what) = &replayed.end {
        return Some(what.clone());
    }
    if let Some(mark) = anchor {
        if generation < mark.generation {
            return Some("an old copy of the header was put back".into());
        }
        if replayed.tip.seq < mark.tip.seq {
            return Some("the newest transactions are missing, or an old copy was put back".into());
        }
        if replayed.at_anchor.is_some_and(|head| head != mark.tip.head) {
            return Some("the journal is not the one the anchor belongs to".into());
        }
    }
    store_ahead.then(|| "the newest transactions are missing from the journal".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_about_to_go_is_waited_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let held = lock(dir.path()).expect("free");
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(RETRY);
            drop(held);
        });
        assert!(lock(dir.path()).is_ok());
        leaving.join().expect("left");
    }

    #[test]
    fn a_vault_is_open_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let _held = lock(dir.path()).expect("free");
        assert!(matches!(lock(dir.path()), Err(VaultError::AlreadyOpen)));
    }
}
