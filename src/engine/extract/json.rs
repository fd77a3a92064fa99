//! A lenient JSON reader for what shops put into scripts.
//!
//! It takes what RFC 8259 allows and repairs what is usual: comments, CDATA, trailing and
//! missing commas, control characters and bare quotes inside strings, unquoted keys,
//! truncation. Numbers stay text. Values deeper than [`MAX_DEPTH`] are skipped.

/// Deeper values are read as null.
pub const MAX_DEPTH: usize = 64;

/// More values than this end the reading.
const MAX_VALUES: usize = 200_000;

/// A JSON value; microdata and RDFa items are turned into the same shape.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Json {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    /// In source order; keys may repeat.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A member of an object. Of a repeated key the first non-null one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(k, v)| k == key && *v != Self::Null)
                .map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a string or number.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Number(s) | Self::Text(s) => Some(s),
            _ => None,
        }
    }

    /// The items of an array, or the value itself as the only one; nothing for null.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Null => &[],
            Self::Array(items) => items,
            one => std::slice::from_ref(one),
        }
    }
}

/// Reads one value. `None` where the text does not begin like one.
#[must_use]
pub fn parse(text: &str) -> Option<Json> {
    let mut reader = Reader::new(text);
    reader.skip_noise();
    match reader.peek()? {
        b'{' | b'[' => Some(reader.value(0)),
        _ => None,
    }
}

/// Reads all values of a script: some shops write several objects one after another.
#[must_use]
pub fn parse_all(text: &str) -> Vec<Json> {
    let mut reader = Reader::new(text);
    let mut out = Vec::new();
    loop {
        reader.skip_noise();
        match reader.peek() {
            Some(b'{' | b'[') => out.push(reader.value(0)),
            Some(_) => reader.at += 1,
            None => return out,
        }
        if reader.values >= MAX_VALUES {
            return out;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            values: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// White space, comments, CDATA marks, HTML comment marks, stray semicolons.
    fn skip_noise(&mut self) {
        loop {
            let rest = &self.bytes[self.at..];
            match rest {
                [b, ..] if b.is_ascii_whitespace() || b.is_ascii_control() || *b == b';' => {
                    self.at += 1
                }
                [0xEF, 0xBB, 0xBF, ..] => self.at += 3,
                [0xC2, 0xA0, ..] => self.at += 2,
                [b'/', b'*', ..] => self.at = self.after(b"*/"),
                // `//<![CDATA[` on one line with the data hides only the mark.
                [b'/', b'/', tail @ ..] if tail.trim_ascii_start().starts_with(b"<![CDATA[") => {
                    self.at = self.after(b"<![CDATA[");
                }
                [b'/', b'/', ..] => self.at = self.after(b"\n"),
                _ if rest.starts_with(b"<![CDATA[") => self.at += 9,
                _ if rest.starts_with(b"]]>") => self.at += 3,
                _ if rest.starts_with(b"<!--") => self.at += 4,
                _ if rest.starts_with(b"-->") => self.at += 3,
                _ => return,
            }
        }
    }

    fn after(&self, mark: &[u8]) -> usize {
        self.bytes[self.at..]
            .windows(mark.len())
            .position(|w| w == mark)
            .map_or(self.bytes.len(), |i| self.at + i + mark.len())
    }

    fn value(&mut self, depth: usize) -> Json {
        self.values += 1;
        if self.values > MAX_VALUES {
            self.at = self.bytes.len();
            return Json::Null;
        }
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                self.skip_nested();
                Json::Null
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(quote @ (b'"' | b'\'')) => Json::Text(self.string(quote)),
            Some(_) => self.word(),
            None => Json::Null,
        }
    }

    /// Skips a value that is nested too deep, without recursion.
    fn skip_nested(&mut self) {
        let mut open = 0_usize;
        while let Some(b) = self.peek() {
            match b {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                b'"' => {
                    self.string(b'"');
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    fn object(&mut self, depth: usize) -> Json {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip_noise();
            match self.peek() {
                None => break,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                // The bracket of an array around us: this object was never closed.
                Some(b']') => break,
                Some(b',' | b':') => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {}
            }
            let key = match self.peek() {
                Some(quote @ (b'"' | b'\'')) => self.string(quote),
                _ => self.bare_key(),
            };
            self.skip_noise();
            if self.peek() != Some(b':') {
                // No key after all; go on behind it.
                self.at += usize::from(!matches!(
                    self.peek(),
                    Some(b',' | b'}' | b']' | b'"') | None
                ));
                continue;
            }
            self.at += 1;
            self.skip_noise();
            if matches!(self.peek(), Some(b',' | b'}')) {
                continue; // `"price": ,`
            }
            let value = self.value(depth + 1);
            members.push((key, value));
        }
        Json::Object(members)
    }

    fn array(&mut self, depth: usize) -> Json {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_noise();
            match self.peek() {
                None => break,
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                Some(b'}') => break,
                Some(b',') => self.at += 1,
                Some(_) => items.push(self.value(depth + 1)),
            }
        }
        Json::Array(items)
    }

    fn bare_key(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'@' | b'-' | b'.') || b >= 0x80
        }) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default().to_owned()
    }

    /// A number, `true`, or any bare word up to the next separator.
    fn word(&mut self) -> Json {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| !matches!(b, b',' | b'}' | b']' | b'{' | b'[' | b'"' | b'\n' | b';'))
        {
            self.at += 1;
        }
        if self.at == start {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or_default().trim();
        match word {
            "true" | "!0" => Json::Bool(true),
            "false" | "!1" => Json::Bool(false),
            _ if word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) => {
                Json::Number(word.to_owned())
            }
            _ => Json::Null,
        }
    }

    fn string(&mut self, quote: u8) -> String {
        self.at += 1;
        let mut out = String::new();
        let mut run = self.at;
        while let Some(b) = self.peek() {
            if b == quote && self.closes_here() {
                out.push_str(&self.text[run..self.at]);
                self.at += 1;
                return out;
            }
            if b == b'\\' {
                out.push_str(&self.text[run..self.at]);
                self.escape(&mut out);
                run = self.at;
            } else {
                self.at += 1;
            }
        }
        out.push_str(self.text.get(run..).unwrap_or_default());
        out
    }

    /// Whether the quote here ends the string. In good JSON a separator follows; a quote
    /// that something else follows is part of the text: `"27" monitor"`.
    fn closes_here(&self) -> bool {
        let next = self.bytes[self.at + 1..]
            .iter()
            .take(200)
            .find(|b| !b.is_ascii_whitespace());
        matches!(
            next,
            None | Some(b',' | b':' | b'}' | b']' | b'"' | b'\'' | b'/' | b';' | b'<')
        ) || self.bytes.get(self.at + 1) == Some(&b'\n')
    }

    fn escape(&mut self, out: &mut String) {
        let code = self.bytes.get(self.at + 1).copied();
        self.at += 2;
        match code {
            Some(b'n' | b'r' | b't' | b'b' | b'f') => out.push(' '),
            Some(b'u') => {
                let first = self.hex4();
                let unit = match first {
                    0xD800..=0xDBFF if self.bytes[self.at..].starts_with(b"\\u") => {
                        self.at += 2;
                        let second = self.hex4();
                        0x10000 + ((first - 0xD800) << 10) + second.wrapping_sub(0xDC00) % 0x400
                    }
                    one => one,
                };
                out.push(char::from_u32(unit).unwrap_or('\u{fffd}'));
            }
            Some(b) if b.is_ascii() => out.push(char::from(b)),
            _ => self.at -= 1, // A backslash before a multi-byte character, or at the end.
        }
        self.at = self.at.min(self.bytes.len());
    }

    fn hex4(&mut self) -> u32 {
        let digits = self.text.get(self.at..self.at + 4);
        match digits.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                unit
            }
            None => 0xFFFD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_at<'a>(json: &'a Json, path: &[&str]) -> Option<&'a str> {
        let mut at = json;
        for key in path {
            at = at.get(key)?;
        }
        at.as_text()
    }

    #[test]
    fn repairs() {
        for source in [
            r#"{"a":{"b":"x"}}"#,
            "\u{feff} /* c */ {\"a\": {\"b\": \"x\",},}",
            "//<![CDATA[\n{'a':{b:'x'}}\n//]]>",
            "<!-- {\"a\":{\"b\":\"x\"}} -->",
            "{\"z\":\"one\ttwo\nthree\", \"a\":{\"b\":\"x\"}",
            r#"{"n":"27" monitor","a":{"b":"x"}}"#,
            r#"{"p": , "a":{"b":"x"}"#,
            r#"{"p":1 "a":{"b":"x"}};"#,
        ] {
            let json = parse(source).expect(source);
            assert_eq!(text_at(&json, &["a", "b"]), Some("x"), "{source}");
        }
        let json = parse(r#"{"n":"27" monitor","q":"a\"b\u20ac\ud83d\ude00\/"}"#).expect("json");
        assert_eq!(text_at(&json, &["n"]), Some("27\" monitor"));
        assert_eq!(text_at(&json, &["q"]), Some("a\"b€😀/"));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let json = parse(r#"{"p":2879.20,"q":1e3,"t":true}"#).expect("json");
        assert_eq!(json.get("p"), Some(&Json::Number("2879.20".into())));
        assert_eq!(json.get("t"), Some(&Json::Bool(true)));
    }

    #[test]
    fn deep_nesting_is_skipped() {
        let deep = format!(
            "{{\"a\":{}1{},\"b\":\"x\"}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(text_at(&parse(&deep).expect("json"), &["b"]), Some("x"));
        let open = "{\"a\":".repeat(10_000);
        assert!(parse(&open).is_some());
    }

    #[test]
    fn several_values() {
        assert_eq!(parse_all("{\"a\":1}\n{\"b\":2};[3]").len(), 3);
        assert!(parse("alert(1)").is_none());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\[\\]{}\",:'\\\\a1u/*é<!-]{0,80}") {
            let _ = parse_all(&text);
        }

        #[test]
        fn good_json_is_read_as_it_is(key in "[a-zé]{1,6}", value in "\\PC{0,20}") {
            let source = serde_json::json!({ &key: [value.clone(), {"k": value.clone()}] }).to_string();
            let json = parse(&source).expect("json");
            let items = json.get(&key).expect("member").items();
            prop_assert_eq!(items[0].as_text(), Some(value.as_str()));
            prop_assert_eq!(items[1].get("k").and_then(Json::as_text), Some(value.as_str()));
        }
    }
}
