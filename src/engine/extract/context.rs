//! What the page says about itself: address, language, country.

use super::embedded::Meta;
use crate::engine::html::{Document, Tag};
use crate::engine::price::{self, Hints};
use crate::model::Currency;
use url::Url;

/// The page around the offer.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The address it was fetched from, else the one it names.
    pub url: Option<Url>,
    /// `<link rel=canonical>`.
    pub canonical: Option<String>,
    /// `<title>`.
    pub title: Option<String>,
    /// Locales, the best first: of the address, of the country domain, of the page.
    pub locales: Vec<String>,
}

impl Context {
    /// Reads it.
    #[must_use]
    pub fn of(doc: &Document, url: Option<&Url>, meta: &Meta) -> Self {
        let mut canonical = None;
        let mut language = None;
        for id in doc.ids() {
            match doc.tag(id) {
                Some(Tag::Link) if canonical.is_none() => {
                    let rel = doc.raw_attr(id, "rel").unwrap_or_default();
                    if rel.eq_ignore_ascii_case("canonical") {
                        canonical = doc.attr(id, "href").map(|h| h.trim().to_owned());
                    }
                }
                Some(Tag::Html) => {
                    language = doc
                        .raw_attr(id, "lang")
                        .or_else(|| doc.raw_attr(id, "xml:lang"))
                        .map(str::to_owned);
                }
                _ => {}
            }
        }
        let title = doc.first(Tag::Title).map(|t| doc.inner_text(t, 400));
        let own = url.cloned().or_else(|| {
            let named = canonical.as_deref().or(meta.claim.url.as_deref())?;
            Url::parse(named).ok()
        });
        let mut locales = Vec::new();
        if let Some(url) = &own {
            locales.extend(path_locale(url));
            locales.extend(domain_locale(url));
        }
        locales.extend(language.filter(|l| !l.is_empty()));
        locales.extend(meta.locale.clone());
        Self {
            url: own,
            canonical,
            title,
            locales,
        }
    }

    /// The currency of a sign, decided by the page's country. A bare dollar or pound
    /// without any country is the world's most used one.
    #[must_use]
    pub fn currency_of(&self, symbol: &str) -> Option<Currency> {
        let text = format!("1 {symbol}");
        let with = |locale: Option<&str>| {
            let hints = Hints {
                locale,
                ..Hints::default()
            };
            price::read(&text, &hints).currency
        };
        let fallback = match symbol {
            "$" => Some("en-US"),
            "£" => Some("en-GB"),
            "¥" | "￥" => Some("ja-JP"),
            _ if symbol.to_lowercase().starts_with('р') => Some("ru-RU"),
            _ => None,
        };
        self.locales
            .iter()
            .find_map(|l| with(Some(l)))
            .or_else(|| with(fallback))
    }

    /// The currency of the country the address belongs to, for pages that write none.
    #[must_use]
    pub fn home_currency(&self) -> Option<Currency> {
        let url = self.url.as_ref()?;
        [path_locale(url), domain_locale(url)]
            .into_iter()
            .flatten()
            .find_map(|l| price::currency::of_locale(&l))
    }

    /// An address made absolute.
    #[must_use]
    pub fn absolute(&self, link: &str) -> String {
        match &self.url {
            Some(base) => base
                .join(link.trim())
                .map_or_else(|_| link.to_owned(), String::from),
            None => link.to_owned(),
        }
    }
}

/// `/en-ca/` in the path.
fn path_locale(url: &Url) -> Option<String> {
    url.path_segments()?.take(3).find_map(|s| {
        let b = s.as_bytes();
        let fits = b.len() == 5
            && matches!(b[2], b'-' | b'_')
            && [0, 1, 3, 4].iter().all(|i| b[*i].is_ascii_alphabetic());
        fits.then(|| s.to_owned())
    })
}

/// The country of a country-code domain, as a locale without a language.
fn domain_locale(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let top = host.rsplit('.').next()?;
    // Country codes that the world uses for other things.
    let generic = matches!(
        top,
        "io" | "co" | "tv" | "me" | "ai" | "eu" | "cc" | "ly" | "to" | "fm" | "gg" | "ws" | "sh"
    );
    let is_sub = top == "co" && host.ends_with(".com.co");
    (top.len() == 2 && (!generic || is_sub)).then(|| format!("und-{}", top.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(address: &str) -> Context {
        let doc = crate::engine::html::parse(b"<html lang=en>", None);
        let url = Url::parse(address).expect("address");
        Context::of(&doc, Some(&url), &Meta::default())
    }

    #[test]
    fn signs_follow_the_country() {
        let code = |address, sign| on(address).currency_of(sign).map(|c| c.code());
        assert_eq!(code("https://shop.com.ar/x", "$"), Some("ARS"));
        assert_eq!(code("https://shop.com/en-ca/x", "$"), Some("CAD"));
        assert_eq!(code("https://shop.com/x", "$"), Some("USD"));
        assert_eq!(code("https://shop.dk/x", "kr."), Some("DKK"));
        assert_eq!(code("https://shop.com/x", "kr"), None);
        assert_eq!(code("https://shop.by/x", "руб."), Some("BYN"));
        assert_eq!(
            on("https://shop.lv/").home_currency().map(|c| c.code()),
            Some("EUR")
        );
    }
}
