//! What a person types to a [`Shop`].

use crate::model::seller::{DeliveryRule, Shop, SourceHealth};
use crate::model::time::Timestamp;
use url::{Host, Url};

/// Why a text is not a shop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShopError {
    /// Not an address at all.
    #[error("`{0}` is not a domain or web address; write for example shop.example")]
    NotAnAddress(String),
    /// Neither http nor https.
    #[error("shops are read over https or http, not `{0}`")]
    Scheme(String),
    /// A name and password do not belong in an address.
    #[error("leave the user name and password out of the address")]
    Credentials,
}

/// Makes a shop of a domain or any address on it. The adapter is set by the caller.
///
/// # Errors
/// [`ShopError`] for what is not a web address.
pub fn shop(text: &str, now: Timestamp) -> Result<Shop, ShopError> {
    let url = address(text)?;
    let domain = domain_of(&url).ok_or_else(|| ShopError::NotAnAddress(text.to_owned()))?;
    let mut base = url.clone();
    base.set_path("/");
    base.set_query(None);
    base.set_fragment(None);
    Ok(Shop {
        name: name_of(&domain),
        domain,
        base_url: base.into(),
        adapter: None,
        search: None,
        added: now,
        delivery: DeliveryRule::default(),
        health: SourceHealth::default(),
    })
}

/// Reads a web address as people type it: without a scheme it is https.
///
/// # Errors
/// [`ShopError`] for what is not a web address.
pub fn address(text: &str) -> Result<Url, ShopError> {
    let text = text.trim();
    let not = || ShopError::NotAnAddress(text.to_owned());
    if text.is_empty() || text.len() > 8 << 10 || text.chars().any(char::is_whitespace) {
        return Err(not());
    }
    let has_scheme = text.contains("://");
    if !has_scheme
        && text
            .split(['/', ':'])
            .next()
            .is_some_and(|h| h.eq_ignore_ascii_case("mailto"))
    {
        return Err(ShopError::Scheme("mailto".to_owned()));
    }
    let url = if has_scheme {
        Url::parse(text)
    } else {
        Url::parse(&format!("https://{text}"))
    }
    .map_err(|_| not())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ShopError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ShopError::Credentials);
    }
    match url.host() {
        Some(Host::Domain(name)) if name.contains('.') || name == "localhost" => Ok(url),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => Ok(url),
        _ => Err(not()),
    }
}

/// The shop's key: host in lower case without `www.` and a final dot, and the port where
/// it is not the usual one.
#[must_use]
pub fn domain_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    let host = match host.strip_prefix("www.") {
        Some(rest) if rest.contains('.') => rest,
        _ => host,
    };
    if host.is_empty() {
        return None;
    }
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// A readable name: the registered label, `fine-tea.co.uk` is Fine Tea.
fn name_of(domain: &str) -> String {
    let host = domain.split(':').next().unwrap_or(domain);
    if host.parse::<std::net::IpAddr>().is_ok() || domain.starts_with('[') {
        return domain.to_owned();
    }
    let label = psl::domain_str(host)
        .unwrap_or(host)
        .split('.')
        .next()
        .unwrap_or(host);
    if label.starts_with("xn--") {
        return host.to_owned();
    }
    let words = label.split(['-', '_']).filter(|w| !w.is_empty()).map(|w| {
        let mut chars = w.chars();
        chars.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(chars).collect()
        })
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The country a domain speaks for, as an ISO 3166-1 code. A guess, to be shown as
/// assumed. Endings that are sold to everybody say nothing.
#[must_use]
pub fn assumed_region(domain: &str) -> Option<String> {
    let host = domain.split(':').next()?;
    let ending = host.rsplit('.').next()?;
    let sold_to_everybody = matches!(
        ending,
        "ac" | "ag"
            | "ai"
            | "am"
            | "cc"
            | "co"
            | "fm"
            | "gg"
            | "io"
            | "la"
            | "ly"
            | "me"
            | "nu"
            | "sh"
            | "so"
            | "tk"
            | "to"
            | "tv"
            | "vc"
            | "ws"
    );
    if ending.len() != 2 || sold_to_everybody || !ending.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    Some(if ending == "uk" {
        "GB".to_owned()
    } else {
        ending.to_ascii_uppercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Result<(String, String, String), ShopError> {
        shop(text, Timestamp::UNIX_EPOCH).map(|s| (s.domain, s.base_url, s.name))
    }

    #[test]
    fn many_ways_to_write_a_shop() {
        for (text, domain, base, name) in [
            (
                "shop.example",
                "shop.example",
                "https://shop.example/",
                "Shop",
            ),
            (
                "WWW.Fine-Tea.co.uk",
                "fine-tea.co.uk",
                "https://www.fine-tea.co.uk/",
                "Fine Tea",
            ),
            (
                "http://shop.example:8080/p/1?x#y",
                "shop.example:8080",
                "http://shop.example:8080/",
                "Shop",
            ),
            (
                "https://store.acme.example/",
                "store.acme.example",
                "https://store.acme.example/",
                "Acme",
            ),
            (
                "127.0.0.1:8080",
                "127.0.0.1:8080",
                "https://127.0.0.1:8080/",
                "127.0.0.1:8080",
            ),
            (
                "bücher.example",
                "xn--bcher-kva.example",
                "https://xn--bcher-kva.example/",
                "xn--bcher-kva.example",
            ),
        ] {
            assert_eq!(
                made(text),
                Ok((domain.into(), base.into(), name.into())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_shop() {
        for text in ["", "tea", "a b.example", "https://", "//", "https://tea/"] {
            assert!(
                matches!(made(text), Err(ShopError::NotAnAddress(_))),
                "{text}"
            );
        }
        assert!(matches!(
            made("ftp://shop.example"),
            Err(ShopError::Scheme(_))
        ));
        assert!(matches!(
            made("file:///etc/passwd"),
            Err(ShopError::Scheme(_))
        ));
        assert_eq!(
            made("https://me:x@shop.example"),
            Err(ShopError::Credentials)
        );
    }

    #[test]
    fn the_country_is_a_guess() {
        assert_eq!(assumed_region("tea.co.uk").as_deref(), Some("GB"));
        assert_eq!(assumed_region("tee.at:8080").as_deref(), Some("AT"));
        assert_eq!(assumed_region("tea.com"), None);
        assert_eq!(assumed_region("tea.io"), None);
        assert_eq!(assumed_region("127.0.0.1"), None);
    }
}
