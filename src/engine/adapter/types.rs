//! Checked words of a manifest: selectors, patterns, pointers, hosts, templates. Each is
//! checked when it is read, so that an error carries the line it stands on.

use regex::{Regex, RegexBuilder};
use scraper::Selector;
use scraper::selector::ToCss;
use serde::{Deserialize, Deserializer, de};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use url::Url;

/// Longest selector, in bytes.
pub const MAX_SELECTOR: usize = 512;
/// Most compound selectors in one complex selector (`a > b c` has three).
pub const MAX_COMPOUNDS: usize = 8;
/// Longest regular expression, in bytes.
pub const MAX_PATTERN: usize = 200;
/// Longest address, in bytes.
pub const MAX_URL: usize = 8 << 10;

/// Implements `Deserialize` through `FromStr`, so that the TOML reader adds the place.
macro_rules! read_from_str {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Cow::<str>::deserialize(d)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
read_from_str!(
    Css, Pattern, Pointer, HostGlob, Template, AdapterId, Version, Text
);

/// A CSS selector within the limits. `:has` is refused: its cost grows with the square
/// of the page.
#[derive(Clone, Debug)]
pub struct Css(pub Selector);

impl FromStr for Css {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_SELECTOR {
            return Err(format!("the selector is longer than {MAX_SELECTOR} bytes"));
        }
        let selector = Selector::parse(text).map_err(|e| format!("not a CSS selector: {e}"))?;
        // The parsed form is checked, because `:h\61s` is `:has`, too.
        let normal = selector.to_css_string();
        if normal.contains(":has(") {
            return Err("`:has` is too slow on large pages; select the inner element".to_owned());
        }
        let compounds = compounds(&normal);
        if compounds > MAX_COMPOUNDS {
            return Err(format!(
                "the selector has {compounds} steps, {MAX_COMPOUNDS} are allowed"
            ));
        }
        Ok(Self(selector))
    }
}

impl fmt::Display for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_css_string())
    }
}

/// The compounds of the longest alternative of a selector in normal form; what stands
/// in parentheses counts, too.
fn compounds(normal: &str) -> usize {
    let (mut most, mut count, mut depth) = (0, 1, 0_usize);
    let mut quote = None;
    let mut in_brackets = false;
    let mut in_gap = false;
    let mut chars = normal.chars();
    while let Some(c) = chars.next() {
        let is_gap = matches!(c, ' ' | '>' | '+' | '~') && quote.is_none() && !in_brackets;
        match c {
            '\\' => drop(chars.next()),
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote.is_some() => {}
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                most = most.max(count);
                count = 0;
            }
            _ if is_gap && !in_gap => count += 1,
            _ => {}
        }
        in_gap = is_gap;
    }
    most.max(count)
}

/// A regular expression within the limits (linear time, no look-around).
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl FromStr for Pattern {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATTERN {
            return Err(format!("the pattern is longer than {MAX_PATTERN} bytes"));
        }
        RegexBuilder::new(text)
            .size_limit(1 << 20)
            .dfa_size_limit(2 << 20)
            .build()
            .map(Self)
            .map_err(|e| format!("not a regular expression: {}", last_line(&e.to_string())))
    }
}

impl Pattern {
    /// The first capture group, or the whole match where there is no group.
    #[must_use]
    pub fn capture<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.0.captures(text)?;
        let group = found.get(1).or_else(|| found.get(0))?;
        Some(group.as_str())
    }

    /// Replaces every match; `$1` stands for the first group.
    #[must_use]
    pub fn replace_all(&self, text: &str, with: &str) -> String {
        self.0.replace_all(text, with).into_owned()
    }

    /// All groups of the first match, the whole match first.
    #[must_use]
    pub fn groups<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let found = self.0.captures(text)?;
        Some(found.iter().map(|g| g.map_or("", |g| g.as_str())).collect())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// The regex crate draws a picture of the fault; its last line says what it is.
fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or(text);
    line.strip_prefix("error: ").unwrap_or(line)
}

/// A JSON Pointer (RFC 6901) of at most 32 steps. A step `*` (ours, not the RFC's)
/// stands for every element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl FromStr for Pointer {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err("a JSON pointer starts with `/`, such as /offers/0/price".to_owned());
        };
        let steps: Vec<String> = rest
            .split('/')
            .map(|s| s.replace("~1", "/").replace("~0", "~"))
            .collect();
        if steps.len() > 32 || text.len() > MAX_SELECTOR {
            return Err("a JSON pointer has at most 32 steps and 512 bytes".to_owned());
        }
        if steps.iter().filter(|s| *s == "*").count() > 2 {
            return Err("a JSON pointer has at most two `*` steps".to_owned());
        }
        Ok(Self(steps))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|s| write!(f, "/{}", s.replace('~', "~0").replace('/', "~1")))
    }
}

impl Pointer {
    /// The values it points at, at most `limit`, in document order.
    #[must_use]
    pub fn find<'v>(
        &self,
        value: &'v serde_json::Value,
        limit: usize,
    ) -> Vec<&'v serde_json::Value> {
        use serde_json::Value;
        let mut found = vec![value];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in found {
                match value {
                    Value::Array(items) if step == "*" => {
                        next.extend(items.iter().take(limit - next.len().min(limit)));
                    }
                    Value::Array(items) => {
                        next.extend(step.parse::<usize>().ok().and_then(|i| items.get(i)));
                    }
                    Value::Object(map) => next.extend(map.get(step)),
                    _ => {}
                }
            }
            next.truncate(limit);
            found = next;
        }
        found
    }
}

/// Which hosts an adapter reads: `shop.example`, or `*.shop.example` for every host
/// below it (not `shop.example` itself). A port is matched where one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGlob {
    /// Without the `*.`, lower case.
    name: String,
    wildcard: bool,
}

impl FromStr for HostGlob {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if name.is_empty()
            || name.len() > 253 + 6
            || !name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'_'))
        {
            return Err(format!(
                "`{text}` is not a host; write for example shop.example or *.shop.example, in lower case (punycode for other scripts) and without https://"
            ));
        }
        // `*.co.uk` would claim every shop of a country.
        let is_public = psl::suffix(name.as_bytes())
            .is_some_and(|s| s.is_known() && s.as_bytes() == name.as_bytes());
        if wildcard && is_public {
            return Err(format!("`{text}` claims everybody under a public suffix"));
        }
        Ok(Self {
            name: name.to_owned(),
            wildcard,
        })
    }
}

impl fmt::Display for HostGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.wildcard { "*." } else { "" };
        write!(f, "{star}{}", self.name)
    }
}

impl HostGlob {
    /// How specific the match is, if `domain` (host and optional port, lower case)
    /// matches: a full name beats a wildcard, a longer wildcard a shorter one.
    #[must_use]
    pub fn matches(&self, domain: &str) -> Option<usize> {
        let host = match domain.rsplit_once(':') {
            Some((host, _)) if !self.name.contains(':') => host,
            _ => domain,
        };
        if !self.wildcard {
            return (host == self.name).then_some(usize::MAX);
        }
        let below = host.strip_suffix(&self.name)?.strip_suffix('.')?;
        (!below.is_empty()).then_some(self.name.len())
    }
}

/// An address with places to fill: `{base}` (scheme and host of the shop), `{host}`,
/// `{query}`, `{gtin}`, `{page}` and, where a page address is rewritten, `{1}` to `{9}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

/// The names a template may use besides the digits.
const PLACES: [&str; 5] = ["base", "host", "query", "gtin", "page"];

impl FromStr for Template {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_URL {
            return Err(format!("the address is longer than {MAX_URL} bytes"));
        }
        if !["https://", "http://", "{base}/"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            return Err("an address starts with https:// or {base}/".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close = rest[open..]
                .find('}')
                .ok_or("a `{` without `}` in the address")?;
            let name = &rest[open + 1..open + close];
            let is_digit = matches!(name.as_bytes(), [b'1'..=b'9']);
            if !is_digit && !PLACES.contains(&name) {
                let hint = super::error::nearest(name, PLACES.into_iter())
                    .map_or_else(String::new, |h| format!(", did you mean `{{{h}}}`?"));
                return Err(format!(
                    "`{{{name}}}` is not one of {{base}}, {{host}}, {{query}}, {{gtin}}, {{page}}{hint}"
                ));
            }
            parts.push(Part::Text(rest[..open].to_owned()));
            parts.push(Part::Place(name.to_owned()));
            rest = &rest[open + close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }
}

impl Template {
    /// Whether the template has the place `name`.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|p| matches!(p, Part::Place(n) if n == name))
    }

    /// Fills the places for a shop at `base`; `value` gives what stands in a place
    /// other than `base` and `host`. Values are percent-encoded. `None` if a value is
    /// missing or the result is not an address.
    #[must_use]
    pub fn fill(&self, base: &Url, value: impl Fn(&str) -> Option<String>) -> Option<Url> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Place(name) => match name.as_str() {
                    "base" => out.push_str(&base.origin().ascii_serialization()),
                    "host" => out.push_str(base.host_str()?),
                    other => out.push_str(&percent_encode(&value(other)?)),
                },
            }
        }
        (out.len() <= MAX_URL).then(|| Url::parse(&out).ok())?
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3).
fn percent_encode(text: &str) -> String {
    use fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A short text of the author: at most 256 bytes, so that no transform can blow up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl FromStr for Text {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > 256 {
            return Err("a text here has at most 256 bytes".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An adapter's id: lower case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdapterId(String);

impl FromStr for AdapterId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let ok = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not an id: lower case letters, digits and hyphens, at most 64"
            ))
        }
    }
}

impl AdapterId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AdapterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version `MAJOR.MINOR.PATCH` (Semantic Versioning 2.0.0 without suffixes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl FromStr for Version {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split('.').map(str::parse::<u32>);
        match (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) {
            (Some(Ok(a)), Some(Ok(b)), Some(Ok(c)), None) => Ok(Self(a, b, c)),
            _ => Err(format!("`{text}` is not a version such as 1.0.0")),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_have_limits() {
        assert!("#main .price > span, .alt".parse::<Css>().is_ok());
        assert!("a b c d e f g h".parse::<Css>().is_ok());
        assert!("a b c d e f g h i".parse::<Css>().is_err());
        assert!("a:not(b c d e f g h i j)".parse::<Css>().is_err());
        assert!("[title='a > b c d e f g h i j']".parse::<Css>().is_ok());
        assert!("div:has(p)".parse::<Css>().is_err());
        assert!(r"div:h\61s(p)".parse::<Css>().is_err());
        assert!("div[".parse::<Css>().is_err());
        assert!("x".repeat(513).parse::<Css>().is_err());
    }

    #[test]
    fn patterns_have_limits() {
        let p: Pattern = r"price: (\d+)".parse().expect("pattern");
        assert_eq!(p.capture("the price: 12"), Some("12"));
        assert!(r"(?=look)".parse::<Pattern>().is_err());
        assert!("x{1000}{1000}".parse::<Pattern>().is_err());
        assert!("x".repeat(201).parse::<Pattern>().is_err());
    }

    #[test]
    fn the_most_specific_host_wins() {
        let glob = |s: &str| s.parse::<HostGlob>().expect(s);
        let exact = glob("www.shop.example").matches("www.shop.example");
        let near = glob("*.shop.example").matches("www.shop.example");
        let far = glob("*.example").matches("www.shop.example");
        assert!(exact > near && near > far && far.is_some());
        assert_eq!(glob("*.shop.example").matches("shop.example"), None);
        assert_eq!(glob("*.shop.example").matches("badshop.example"), None);
        assert!(glob("127.0.0.1").matches("127.0.0.1:8080").is_some());
        assert!(glob("127.0.0.1:80").matches("127.0.0.1:8080").is_none());
        for bad in [
            "*",
            "*.",
            "*.com",
            "*.co.uk",
            "https://a.example",
            "A.example",
        ] {
            assert!(bad.parse::<HostGlob>().is_err(), "{bad}");
        }
    }

    #[test]
    fn templates_encode_what_they_are_given() {
        let base = Url::parse("https://shop.example/start").expect("url");
        let t: Template = "{base}/search?q={query}&p={page}"
            .parse()
            .expect("template");
        let url = t.fill(&base, |name| match name {
            "query" => Some("tea & mug/ü?host=evil".to_owned()),
            "page" => Some("2".to_owned()),
            _ => None,
        });
        assert_eq!(
            url.map(String::from).as_deref(),
            Some("https://shop.example/search?q=tea%20%26%20mug%2F%C3%BC%3Fhost%3Devil&p=2")
        );
        let error = "{base}/?q={qurey}".parse::<Template>().expect_err("a slip");
        assert!(error.contains("`{query}`"), "{error}");
        assert!("ftp://shop.example/{query}".parse::<Template>().is_err());
    }

    #[test]
    fn pointers_walk_arrays() {
        let json = serde_json::json!({"a": [{"b": 1}, {"b": 2}], "c/d": 3});
        let find = |p: &str| {
            let p: Pointer = p.parse().expect(p);
            p.find(&json, 10)
                .into_iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(find("/a/1/b"), ["2"]);
        assert_eq!(find("/a/*/b"), ["1", "2"]);
        assert_eq!(find("/c~1d"), ["3"]);
        assert!(find("/a/9/b").is_empty());
        assert!("a/b".parse::<Pointer>().is_err());
    }
}
