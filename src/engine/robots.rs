//! robots.txt: who may read what (RFC 9309, the Robots Exclusion Protocol).
//!
//! Where the RFC leaves room, the answers are those of Google's published matcher,
//! because that is what shops write their files for:
//! - bytes outside ASCII in a rule are percent-encoded, and `%aa` becomes `%AA`; an
//!   escape of a plain letter is kept as written, so `%62` in a rule is not `b`;
//! - common misspellings of field names and a missing colon are understood;
//! - `Allow: /dir/index.html` also allows `/dir/`.

use std::time::Duration;

/// Bytes read of one file; RFC 9309, 2.5 asks for at least 500 KiB.
pub const MAX_BYTES: usize = 500 * 1024;
/// Bytes read of one line: the limit of Google's matcher, less the end of its buffer.
const MAX_LINE: usize = 2083 * 8 - 1;

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    groups: Vec<Group>,
    sitemaps: Vec<String>,
}

/// Rules for the agents named above them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group {
    names: Vec<Names>,
    rules: Vec<Rule>,
}

/// Agent lines that follow each other, and the pause asked of just these agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    /// Product tokens, lower case.
    agents: Vec<String>,
    /// `*` is among them.
    everyone: bool,
    crawl_delay: Option<Duration>,
}

/// One `Allow` or `Disallow` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whether it allows.
    pub allow: bool,
    /// The pattern, percent-encoded: `*` is any text, a last `$` is the end.
    pub pattern: String,
    /// Its line in the file, from 1.
    pub line: u32,
}

/// The answer for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the agent may read the address.
    pub allowed: bool,
    /// The rule that decided; `None` if no rule matches.
    pub rule: Option<Rule>,
    /// The pause the site asks this agent to make between two requests. Not in the
    /// RFC, but widely written and cheap to honour.
    pub crawl_delay: Option<Duration>,
}

/// What the answer to a request for `/robots.txt` means (RFC 9309, 2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A file was read.
    Rules(Robots),
    /// There is none (4xx): everything may be read.
    Unrestricted,
    /// The server could not say (5xx, 429): nothing may be read until it can.
    Unreachable,
}

impl Access {
    /// Judges an answer by its HTTP status. Redirects are followed before.
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        match status {
            200..=299 => Self::Rules(Robots::parse(body)),
            // Too Many Requests is a server in trouble, not a missing file.
            429 => Self::Unreachable,
            400..=499 => Self::Unrestricted,
            _ => Self::Unreachable,
        }
    }

    /// Whether `agent` may read `url`.
    #[must_use]
    pub fn decide(&self, agent: &str, url: &str) -> Decision {
        match self {
            Self::Rules(robots) => robots.decide(agent, url),
            Self::Unrestricted | Self::Unreachable => Decision {
                allowed: *self == Self::Unrestricted,
                rule: None,
                crawl_delay: None,
            },
        }
    }
}

/// A line's field, by its name.
enum Field {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
    Other,
}

impl Field {
    fn of(name: &[u8]) -> Self {
        let starts = |words: &[&str]| {
            words.iter().any(|w| {
                name.get(..w.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(w.as_bytes()))
            })
        };
        if starts(&["user-agent", "useragent", "user agent"]) {
            Self::UserAgent
        } else if starts(&["allow"]) {
            Self::Allow
        } else if starts(&[
            "disallow",
            "dissallow",
            "dissalow",
            "disalow",
            "diasllow",
            "disallaw",
        ]) {
            Self::Disallow
        } else if starts(&["crawl-delay", "crawldelay", "crawl delay"]) {
            Self::CrawlDelay
        } else if starts(&["sitemap", "site-map"]) {
            Self::Sitemap
        } else {
            Self::Other
        }
    }
}

impl Robots {
    /// Reads a file. Never fails: what is no rule is skipped, as the RFC asks, and
    /// bytes beyond [`MAX_BYTES`] are not read.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut text = bytes;
        if text.len() > MAX_BYTES {
            // A rule cut in the middle would say something else: drop that line.
            let head = &text[..MAX_BYTES];
            let end = head.iter().rposition(|b| *b == b'\n').unwrap_or(0);
            text = &head[..end];
        }
        text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);

        let mut robots = Self::default();
        // Agent lines add to a group until its first rule; the next starts a new one.
        // Other fields in between do not end the group, but what they say is for the
        // agents named so far.
        let mut open = false;
        let mut naming = false;
        for (number, line) in lines(text) {
            let Some((name, value)) = field(&line[..line.len().min(MAX_LINE)]) else {
                continue;
            };
            let field = Field::of(name);
            let was_naming = std::mem::replace(&mut naming, matches!(field, Field::UserAgent));
            let allow = match field {
                Field::UserAgent => {
                    if !open {
                        robots.groups.push(Group::default());
                        open = true;
                    }
                    if let Some(group) = robots.groups.last_mut() {
                        if !was_naming {
                            group.names.push(Names::default());
                        }
                        group.name_agent(value);
                    }
                    continue;
                }
                Field::CrawlDelay => {
                    let group = robots.groups.last_mut();
                    if let Some(names) = group.and_then(|g| g.names.last_mut()) {
                        names.crawl_delay = seconds(value).or(names.crawl_delay);
                    }
                    continue;
                }
                Field::Sitemap => {
                    if let Ok(url) = std::str::from_utf8(value) {
                        robots.sitemaps.push(url.to_owned());
                    }
                    continue;
                }
                Field::Other => continue,
                Field::Allow => true,
                Field::Disallow => false,
            };
            // Rules before the first agent line belong to no one.
            if let Some(group) = robots.groups.last_mut() {
                open = false;
                group.add_rule(allow, escape(value), number);
            }
        }
        robots
    }

    /// Whether `agent`, a product token such as `emptor`, may read `url`.
    ///
    /// All groups that name the agent count as one; only if none does, those for `*`
    /// count (RFC 9309, 2.2.1). The longest matching pattern wins; of two equally
    /// long ones, the one that allows (2.2.2).
    #[must_use]
    pub fn decide(&self, agent: &str, url: &str) -> Decision {
        let path = path_of(url);
        let all_names = || self.groups.iter().flat_map(|g| &g.names);
        let named = all_names().any(|n| n.include(agent));
        let counts = |n: &&Names| if named { n.include(agent) } else { n.everyone };
        let crawl_delay = all_names()
            .filter(counts)
            .filter_map(|n| n.crawl_delay)
            .max();
        let mut best: Option<&Rule> = None;
        for group in &self.groups {
            if group.names.iter().find(counts).is_none() {
                continue;
            }
            for rule in &group.rules {
                let stronger = best
                    .is_none_or(|b| (rule.pattern.len(), rule.allow) > (b.pattern.len(), b.allow));
                if stronger && matches(&rule.pattern, &path) {
                    best = Some(rule);
                }
            }
        }
        Decision {
            allowed: best.is_none_or(|r| r.allow),
            rule: best.cloned(),
            crawl_delay,
        }
    }

    /// The addresses of sitemaps, as written.
    #[must_use]
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }
}

impl Group {
    fn name_agent(&mut self, value: &[u8]) {
        let Some(names) = self.names.last_mut() else {
            return;
        };
        if let Some((b'*', rest)) = value.split_first()
            && rest.first().is_none_or(u8::is_ascii_whitespace)
        {
            names.everyone = true;
            return;
        }
        // A product token is letters, `-` and `_` (2.2.1); a version after it is ignored.
        let token: String = value
            .iter()
            .map_while(|b| {
                (b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'))
                    .then(|| char::from(b.to_ascii_lowercase()))
            })
            .collect();
        if !token.is_empty() {
            names.agents.push(token);
        }
    }

    fn add_rule(&mut self, allow: bool, pattern: String, line: u32) {
        // An empty value is no rule: `Disallow:` forbids nothing.
        if pattern.is_empty() {
            return;
        }
        if allow
            && let Some(slash) = pattern.rfind('/')
            && pattern[slash..].starts_with("/index.htm")
        {
            self.rules.push(Rule {
                allow,
                pattern: format!("{}$", &pattern[..=slash]),
                line,
            });
        }
        self.rules.push(Rule {
            allow,
            pattern,
            line,
        });
    }
}

impl Names {
    fn include(&self, agent: &str) -> bool {
        self.agents.iter().any(|a| a.eq_ignore_ascii_case(agent))
    }
}

/// The lines with their numbers; LF, CR and CR LF end one.
fn lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = text;
    let mut number = 0_u32;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        number = number.saturating_add(1);
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
        let line = &rest[..end.unwrap_or(rest.len())];
        rest = match end {
            Some(i) if rest[i..].starts_with(b"\r\n") => &rest[i + 2..],
            Some(i) => &rest[i + 1..],
            None => &[],
        };
        Some((number, line))
    })
}

/// Splits `name: value # comment`. Without a colon, `name value` of exactly two words
/// is understood too.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.split(|b| *b == b'#').next()?.trim_ascii();
    let (name, value) = if let Some(colon) = line.iter().position(|b| *b == b':') {
        (&line[..colon], &line[colon + 1..])
    } else {
        let gap = line.iter().position(|b| matches!(b, b' ' | b'\t'))?;
        let value = line[gap..].trim_ascii();
        if value.iter().any(|b| matches!(b, b' ' | b'\t')) {
            return None;
        }
        (&line[..gap], value)
    };
    let name = name.trim_ascii();
    (!name.is_empty()).then(|| (name, value.trim_ascii()))
}

/// A number of seconds, perhaps with decimals; anything else is ignored.
fn seconds(value: &[u8]) -> Option<Duration> {
    let seconds: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Percent-encodes bytes outside ASCII and writes escapes in upper case.
fn escape(value: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b == b'%'
            && let [hi, lo, after @ ..] = tail
            && hi.is_ascii_hexdigit()
            && lo.is_ascii_hexdigit()
        {
            out.push('%');
            out.push(char::from(hi.to_ascii_uppercase()));
            out.push(char::from(lo.to_ascii_uppercase()));
            rest = after;
        } else if b.is_ascii() {
            out.push(char::from(b));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(b >> 4)]));
            out.push(char::from(HEX[usize::from(b & 15)]));
        }
    }
    out
}

/// What rules are matched against: path, parameters and query, without fragment.
/// Works on any text, so that odd lines of a test set still get an answer.
fn path_of(url: &str) -> String {
    let start = if url.starts_with("//") { 2 } else { 0 };
    let find = |needle: &[char], from: usize| url[from..].find(needle).map(|i| i + from);
    let early = find(&['/', '?', ';'], start);
    let after_scheme = match url[start..].find("://").map(|i| i + start) {
        Some(i) if early.is_none_or(|e| i <= e) => i + 3,
        _ => start,
    };
    let Some(path) = find(&['/', '?', ';'], after_scheme) else {
        return "/".to_owned();
    };
    let end = find(&['#'], start).unwrap_or(url.len());
    if end < path {
        return "/".to_owned();
    }
    let path = &url[path..end];
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// Whether the pattern matches a beginning of the path, or all of it with a last `$`.
/// Linear: each piece between stars is looked for once, leftmost first, which is right
/// because a star may stand for anything.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, whole) = match pattern.strip_suffix('$') {
        Some(p) => (p, true),
        None => (pattern, false),
    };
    let (first, stars) = match pattern.split_once('*') {
        Some((first, stars)) => (first, Some(stars)),
        None => (pattern, None),
    };
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let Some(stars) = stars else {
        return !whole || rest.is_empty();
    };
    let (middle, last) = match (whole, stars.rsplit_once('*')) {
        (true, Some((middle, last))) => (middle, last),
        (true, None) => ("", stars),
        (false, _) => (stars, ""),
    };
    for piece in middle.split('*') {
        match rest.find(piece) {
            Some(i) => rest = &rest[i + piece.len()..],
            None => return false,
        }
    }
    // With `$` the last piece is what the path ends with.
    rest.ends_with(last)
}

/// The product token of a User-Agent value: `emptor` of `emptor/1.0 (+https://…)`.
#[must_use]
pub fn product_token(agent: &str) -> &str {
    agent.split('/').next().unwrap_or(agent).trim()
}

#[cfg(test)]
mod tests;
