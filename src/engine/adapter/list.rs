//! A page of search results by a manifest.

use super::find::View;
use super::manifest::{Manifest, Search};
use super::read::absolute;
use super::values::Habits;
use crate::engine::price::Kind;
use crate::model::text::clean;
use crate::model::{Currency, Gtin, Money};
use serde::{Deserialize, Serialize};

/// One entry of a list: a hint where to look, not an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The product's address.
    pub url: String,
    /// Its name.
    pub name: Option<String>,
    /// Its number.
    pub gtin: Option<Gtin>,
    /// The price shown in the list.
    pub price: Option<Money>,
}

/// The entries of a page; how many entries had no link.
pub fn listings(
    manifest: &Manifest,
    search: &Search,
    view: &View<'_>,
    shop_currency: Option<Currency>,
) -> (Vec<Listing>, usize) {
    let habits = Habits {
        currency: manifest.currency.or(shop_currency),
        locale: manifest.locale.as_deref().or_else(|| view.language()),
    };
    let mut out: Vec<Listing> = Vec::new();
    let mut unread = 0;
    view.each(&search.items, |scope| {
        let fields = &search.fields;
        let Some(url) = view
            .first(&fields.url, scope)
            .and_then(|f| absolute(view.url, &f.text))
        else {
            unread += 1;
            return;
        };
        if out.iter().any(|l| l.url == url) {
            return;
        }
        out.push(Listing {
            url,
            name: view.first(&fields.name, scope).map(|f| clean(&f.text, 300)),
            gtin: view
                .first(&fields.gtin, scope)
                .and_then(|f| f.text.parse().ok()),
            price: view
                .first(&fields.price, scope)
                .and_then(|f| habits.money(&f, &[Kind::Price])),
        });
    });
    (out, unread)
}
