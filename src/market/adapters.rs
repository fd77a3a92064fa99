//! The adapters there are: those that come with the program and the person's own.
//!
//! A [`Registry`] is a snapshot that never changes; [`watch()`] keeps the newest one and
//! reads the person's directory again when a file in it changes. A manifest that is
//! wrong never replaces one that worked: the old version stays and an
//! [`AdapterEvent::Broken`] says what is wrong.

mod builtin;
pub mod fixtures;
mod watch;

pub use builtin::{BUILT_IN, BuiltIn, Fixture};
pub use watch::{Adapters, WatchError, watch};

use crate::engine::adapter::manifest::MAX_MANIFEST;
use crate::engine::adapter::{Manifest, ManifestError};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of a manifest in its folder.
pub const MANIFEST: &str = "adapter.toml";
/// Most adapters read from the person's directory.
const MAX_FILES: usize = 1000;

/// Where an adapter comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    BuiltIn,
    /// The person's own file.
    File(PathBuf),
}

/// An adapter ready for use.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Its rules.
    pub manifest: Arc<Manifest>,
    /// Where it comes from.
    pub origin: Origin,
}

/// What happened to an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdapterEvent {
    /// It is new, or of another content.
    Loaded {
        /// Its id.
        id: String,
        /// The file.
        file: PathBuf,
    },
    /// Its file is gone; a built-in one of the same id is in use again.
    Removed {
        /// Its id.
        id: String,
    },
    /// The file is wrong. The version read before, if any, stays in use.
    Broken {
        /// The file.
        file: PathBuf,
        /// Line, field and fault.
        error: String,
    },
}

/// Why a file gives no adapter.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Two files of the person have one id.
    #[error("{file}: the id `{id}` is taken by {other}")]
    Taken {
        /// The later file.
        file: PathBuf,
        /// The id.
        id: String,
        /// The file that has it.
        other: PathBuf,
    },
}

/// The adapters at one moment.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    by_id: BTreeMap<String, Adapter>,
    /// The person's files that were read well, with what they gave.
    files: BTreeMap<PathBuf, Adapter>,
    /// The person's files that are wrong now.
    broken: BTreeMap<PathBuf, String>,
}

impl Registry {
    /// The adapters that come with the program.
    #[must_use]
    pub fn built_in() -> Self {
        let mut registry = Self::default();
        registry.rebuild();
        registry
    }

    /// The built-in adapters and those in `dir`; the errors of files that are wrong.
    /// A directory that is not there has no adapters.
    #[must_use]
    pub fn load(dir: &Path) -> (Self, Vec<AdapterEvent>) {
        Self::default().reload(read_dir(dir))
    }

    /// The registry after the person's files became `files`, and what that changed.
    #[must_use]
    fn reload(&self, files: Vec<(PathBuf, io::Result<String>)>) -> (Self, Vec<AdapterEvent>) {
        let mut next = Self::default();
        let mut events = Vec::new();
        let mut taken: BTreeMap<String, PathBuf> = BTreeMap::new();
        for (path, text) in files {
            let adapter = text
                .map_err(|e| LoadError::Io(path.clone(), e))
                .and_then(|text| from_text(&path, &text))
                .and_then(|adapter| {
                    let id = adapter.manifest.id.to_string();
                    match taken.get(&id) {
                        Some(other) => Err(LoadError::Taken {
                            file: path.clone(),
                            id,
                            other: other.clone(),
                        }),
                        None => Ok(adapter),
                    }
                });
            let old = self.files.get(&path);
            match adapter {
                Ok(adapter) => {
                    let id = adapter.manifest.id.to_string();
                    taken.insert(id.clone(), path.clone());
                    if old.is_none_or(|o| o.manifest.text() != adapter.manifest.text())
                        || self.broken.contains_key(&path)
                    {
                        events.push(AdapterEvent::Loaded {
                            id,
                            file: path.clone(),
                        });
                    }
                    next.files.insert(path, adapter);
                }
                Err(error) => {
                    let error = error.to_string();
                    if self.broken.get(&path) != Some(&error) {
                        events.push(AdapterEvent::Broken {
                            file: path.clone(),
                            error: error.clone(),
                        });
                    }
                    if let Some(old) = old.filter(|o| !taken.contains_key(o.manifest.id.as_str())) {
                        taken.insert(old.manifest.id.to_string(), path.clone());
                        next.files.insert(path.clone(), old.clone());
                    }
                    next.broken.insert(path, error);
                }
            }
        }
        next.rebuild();
        for old in self.files.values() {
            let id = old.manifest.id.as_str();
            if !taken.contains_key(id) {
                events.push(AdapterEvent::Removed { id: id.to_owned() });
            }
        }
        (next, events)
    }

    /// The person's adapters hide built-in ones of the same id.
    fn rebuild(&mut self) {
        let own = self.files.values().cloned();
        self.by_id = builtin::adapters()
            .chain(own)
            .map(|a| (a.manifest.id.to_string(), a))
            .collect();
    }

    /// An adapter by its id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Adapter> {
        self.by_id.get(id)
    }

    /// The adapter that claims a shop's domain most specifically; of equal claims the
    /// person's own wins, then the first by id.
    #[must_use]
    pub fn by_domain(&self, domain: &str) -> Option<&Adapter> {
        let www = format!("www.{domain}");
        let claim = |a: &Adapter| {
            let claims = [a.manifest.claims(domain), a.manifest.claims(&www)];
            claims.into_iter().flatten().max()
        };
        self.by_id
            .values()
            .filter_map(|a| claim(a).map(|c| (c, matches!(a.origin, Origin::File(_)), a)))
            // `max_by_key` gives the last of equals.
            .rev()
            .max_by_key(|(claim, own, _)| (*claim, *own))
            .map(|(_, _, a)| a)
    }

    /// The adapter of a shop: the one chosen for it, or else the one that claims it.
    #[must_use]
    pub fn for_shop(&self, shop: &crate::model::Shop) -> Option<&Adapter> {
        match &shop.adapter {
            Some(id) => self.by_id(id),
            None => self.by_domain(&shop.domain),
        }
    }

    /// All adapters by id.
    pub fn iter(&self) -> impl Iterator<Item = &Adapter> {
        self.by_id.values()
    }

    /// The person's files that are wrong, and what is wrong.
    pub fn broken(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.broken.iter().map(|(p, e)| (p.as_path(), e.as_str()))
    }
}

/// Reads one manifest from a file.
///
/// # Errors
/// [`LoadError`] if it cannot be read or is wrong.
pub fn from_file(path: &Path) -> Result<Adapter, LoadError> {
    let text = read_small(path).map_err(|e| LoadError::Io(path.to_owned(), e))?;
    from_text(path, &text)
}

fn from_text(path: &Path, text: &str) -> Result<Adapter, LoadError> {
    let manifest = Manifest::parse(text, &path.display().to_string())?;
    Ok(Adapter {
        manifest: Arc::new(manifest),
        origin: Origin::File(path.to_owned()),
    })
}

/// A text file of at most the size of a manifest.
fn read_small(path: &Path) -> io::Result<String> {
    use io::Read;
    let mut text = String::new();
    let limit = MAX_MANIFEST as u64 + 1;
    fs::File::open(path)?
        .take(limit)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// The manifests in a directory, by path: `NAME.toml` and `NAME/adapter.toml`.
fn read_dir(dir: &Path) -> Vec<(PathBuf, io::Result<String>)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| {
            let is_hidden = path
                .file_name()
                .is_none_or(|n| n.to_string_lossy().starts_with('.'));
            if is_hidden {
                None
            } else if path.is_dir() {
                Some(path.join(MANIFEST)).filter(|p| p.is_file())
            } else {
                path.extension()
                    .is_some_and(|e| e == "toml")
                    .then_some(path)
            }
        })
        .take(MAX_FILES)
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = read_small(&path);
            (path, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(id: &str, hosts: &str) -> String {
        format!(
            "format = 1\nid = \"{id}\"\nversion = \"1.0.0\"\nname = \"{id}\"\nhosts = [{hosts}]\n[product.fields]\nprice = \".price\"\n"
        )
    }

    fn reload(registry: &Registry, files: &[(&str, String)]) -> (Registry, Vec<AdapterEvent>) {
        let files = files
            .iter()
            .map(|(p, t)| (PathBuf::from(p), Ok(t.clone())))
            .collect();
        registry.reload(files)
    }

    #[test]
    fn the_most_specific_claim_wins() {
        let (registry, _) = reload(
            &Registry::default(),
            &[
                ("a.toml", manifest("wide", "'*.shop.example'")),
                ("b.toml", manifest("exact", "'www.shop.example'")),
            ],
        );
        let id = |domain: &str| {
            registry
                .by_domain(domain)
                .map(|a| a.manifest.id.to_string())
        };
        assert_eq!(id("shop.example").as_deref(), Some("exact"));
        assert_eq!(id("uk.shop.example:8080").as_deref(), Some("wide"));
        assert_eq!(id("else.example"), None);
    }

    #[test]
    fn a_wrong_edit_keeps_what_worked() {
        let good = manifest("own", "'own.example'");
        let (first, events) = reload(&Registry::default(), &[("own.toml", good.clone())]);
        assert!(matches!(&events[..], [AdapterEvent::Loaded { id, .. }] if id == "own"));
        let bad = good.replace("price =", "prize =");
        let (second, events) = reload(&first, &[("own.toml", bad.clone())]);
        assert!(
            matches!(&events[..], [AdapterEvent::Broken { error, .. }] if error.starts_with("own.toml:7: product.fields.prize:")),
            "{events:?}"
        );
        assert!(second.by_id("own").is_some());
        let (third, events) = reload(&second, &[("own.toml", bad)]);
        assert!(
            events.is_empty() && third.by_id("own").is_some(),
            "said once"
        );
        let (fourth, events) = reload(&third, &[("own.toml", good)]);
        assert!(
            matches!(&events[..], [AdapterEvent::Loaded { .. }])
                && fourth.broken().next().is_none()
        );
        let (fifth, events) = reload(&fourth, &[]);
        assert!(
            matches!(&events[..], [AdapterEvent::Removed { .. }]) && fifth.by_id("own").is_none()
        );
    }

    #[test]
    fn one_id_has_one_file() {
        let files = [
            ("a.toml", manifest("x", "'a.example'")),
            ("b.toml", manifest("x", "'b.example'")),
        ];
        let (registry, events) = reload(&Registry::default(), &files);
        assert!(
            matches!(&events[1], AdapterEvent::Broken { error, .. } if error.contains("taken by a.toml")),
            "{events:?}"
        );
        assert!(registry.by_domain("a.example").is_some());
        assert!(registry.by_domain("b.example").is_none());
    }

    #[test]
    fn the_persons_own_hides_the_built_in() {
        let id = BUILT_IN[0].id;
        let (registry, _) = reload(&Registry::default(), &[("x.toml", manifest(id, ""))]);
        assert!(matches!(
            registry.by_id(id).map(|a| &a.origin),
            Some(Origin::File(_))
        ));
        let (registry, _) = reload(&registry, &[]);
        assert!(matches!(
            registry.by_id(id).map(|a| &a.origin),
            Some(Origin::BuiltIn)
        ));
    }
}
