//! The adapters that come with the program, with their fixtures: `offers-adapters/`.

use super::{Adapter, Origin};
use crate::engine::adapter::Manifest;
use std::sync::{Arc, LazyLock};

/// An adapter in the program.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its id and the name of its folder.
    pub id: &'static str,
    /// Its manifest.
    pub manifest: &'static str,
    /// The stored pages it is tested on.
    pub fixtures: &'static [Fixture],
}

/// A stored page and what must be read from it.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// The file's name.
    pub name: &'static str,
    /// The page.
    pub body: &'static str,
    /// What is expected, as JSON.
    pub expected: &'static str,
}

macro_rules! built_in {
    ($($id:literal: [$($fixture:literal),* $(,)?]),* $(,)?) => {
        /// All built-in adapters.
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn {
            id: $id,
            manifest: include_str!(concat!("../../../offers-adapters/", $id, "/adapter.toml")),
            fixtures: &[$(Fixture {
                name: $fixture,
                body: include_str!(concat!("../../../offers-adapters/", $id, "/fixtures/", $fixture)),
                expected: include_str!(concat!(
                    "../../../offers-adapters/", $id, "/fixtures/", $fixture, ".expected.json"
                )),
            }),*],
        }),*];
    };
}

built_in! {
    "comparison": ["product.html", "search.html", "no-offers.html"],
    "grocer": ["product.html", "by-weight.html", "search.html"],
    "json-shop": ["product.json", "sold-out.json", "search.json", "wall.json"],
    "magento": ["product.html", "special-price.html", "search.html", "changed.html"],
    "prestashop": ["product.html", "search.html"],
    "shopify": ["one-price.json", "sizes.json", "one-size.json", "search.json", "wall.json"],
    "shopware": ["product.html", "search.html", "nothing-found.html"],
    "woocommerce": ["simple.html", "sold-out.html", "variants.html", "one-variant.html", "search.html", "wall.html"],
}

/// The built-in adapters, parsed once.
pub(super) fn adapters() -> impl Iterator<Item = Adapter> {
    static PARSED: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
        let parse = |b: &BuiltIn| {
            let manifest = Manifest::parse(b.manifest, b.id)
                .expect("invariant: built-in manifests are tested");
            Adapter {
                manifest: Arc::new(manifest),
                origin: Origin::BuiltIn,
            }
        };
        BUILT_IN.iter().map(parse).collect()
    });
    PARSED.iter().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// A folder or a fixture that is not compiled in would be tested by nobody.
    #[test]
    fn everything_in_the_folder_is_in_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("offers-adapters");
        let names = |dir: &Path| -> BTreeSet<String> {
            std::fs::read_dir(dir)
                .expect("the folder")
                .map(|e| {
                    e.expect("an entry")
                        .file_name()
                        .to_string_lossy()
                        .into_owned()
                })
                .collect()
        };
        let folders: BTreeSet<String> = names(&root)
            .into_iter()
            .filter(|n| root.join(n).is_dir())
            .collect();
        let listed: BTreeSet<String> = BUILT_IN.iter().map(|b| b.id.to_owned()).collect();
        assert_eq!(folders, listed);
        for b in BUILT_IN {
            let listed: BTreeSet<String> = b
                .fixtures
                .iter()
                .flat_map(|f| [f.name.to_owned(), format!("{}.expected.json", f.name)])
                .collect();
            assert_eq!(names(&root.join(b.id).join("fixtures")), listed, "{}", b.id);
        }
    }

    #[test]
    fn the_id_is_the_folder() {
        for (b, a) in BUILT_IN.iter().zip(adapters()) {
            assert_eq!(a.manifest.id.as_str(), b.id);
        }
    }
}
