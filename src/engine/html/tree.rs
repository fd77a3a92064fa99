//! The one pass that turns source text into the arena.

use super::{Attr, Document, Kind, Limits, Node, Span, Tag};

/// An element whose end has not been seen.
struct Open {
    node: u32,
    tag: Tag,
    /// Its end tag came while blocks inside were still open: it ends with them.
    ended: bool,
}

struct Builder<'a> {
    source: &'a str,
    bytes: &'a [u8],
    limits: &'a Limits,
    nodes: Vec<Node>,
    attrs: Vec<Attr>,
    open: Vec<Open>,
    /// Start tags beyond the depth limit whose end tag is still to come.
    too_deep: usize,
    /// Open `svg` and `math` elements: inside them `/>` closes and `title` is no raw text.
    foreign: usize,
    has_head: bool,
    has_body: bool,
    truncated: bool,
}

/// A start or end tag.
struct TagToken {
    tag: Tag,
    name: Span,
    first_attr: u32,
    attrs: u16,
    self_closing: bool,
    /// Where the source goes on.
    next: usize,
}

pub(super) fn build(
    source: String,
    charset: &'static str,
    truncated: bool,
    limits: &Limits,
) -> Document {
    let mut builder = Builder {
        source: &source,
        bytes: source.as_bytes(),
        limits,
        nodes: Vec::with_capacity((source.len() / 24).min(limits.nodes) + 4),
        attrs: Vec::with_capacity(source.len() / 48 + 4),
        open: Vec::with_capacity(64),
        too_deep: 0,
        foreign: 0,
        has_head: false,
        has_body: false,
        truncated,
    };
    builder.nodes.push(Node {
        parent: 0,
        end: 1,
        kind: Kind::Document,
    });
    builder.run();
    let (nodes, attrs, truncated) = (builder.nodes, builder.attrs, builder.truncated);
    Document {
        source,
        nodes,
        attrs,
        charset,
        truncated,
    }
}

impl Builder<'_> {
    fn run(&mut self) {
        let mut at = 0;
        let mut text_from = 0;
        while at < self.bytes.len() {
            if self.nodes.len() >= self.limits.nodes {
                self.truncated = true;
                break;
            }
            let lt = self.find(b'<', at);
            let markup = match self.bytes.get(lt + 1) {
                Some(b'/') => self.bytes.get(lt + 2).is_some_and(|b| *b != b'<'),
                Some(b'!' | b'?') => true,
                Some(b) => b.is_ascii_alphabetic(),
                None => false,
            };
            if !markup {
                // A lone `<` is part of the text.
                at = (lt + 1).min(self.bytes.len());
                continue;
            }
            self.text(text_from, lt, false);
            at = match self.bytes[lt + 1] {
                b'/' => self.end_tag(lt),
                b'!' | b'?' => self.declaration(lt),
                _ => self.start_tag(lt),
            };
            text_from = at;
        }
        if !self.truncated {
            self.text(text_from, self.bytes.len(), false);
        }
        while !self.open.is_empty() {
            self.pop();
        }
        let count = self.nodes.len() as u32;
        self.nodes[0].end = count;
    }

    fn find(&self, byte: u8, from: usize) -> usize {
        self.bytes[from..]
            .iter()
            .position(|b| *b == byte)
            .map_or(self.bytes.len(), |i| from + i)
    }

    /// Comments, doctypes and processing instructions are skipped.
    fn declaration(&self, lt: usize) -> usize {
        let rest = &self.source[lt..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            if comment.starts_with('>') || comment.starts_with("->") {
                return self.find(b'>', lt) + 1;
            }
            return comment
                .find("-->")
                .map_or(self.bytes.len(), |end| lt + 4 + end + 3);
        }
        if self.foreign > 0
            && let Some(data) = rest.strip_prefix("<![CDATA[")
        {
            return data
                .find("]]>")
                .map_or(self.bytes.len(), |end| lt + 9 + end + 3);
        }
        (self.find(b'>', lt) + 1).min(self.bytes.len())
    }

    fn text(&mut self, start: usize, end: usize, raw: bool) {
        if start >= end {
            return;
        }
        let blank = self.bytes[start..end].iter().all(u8::is_ascii_whitespace);
        if !self.has_body && !raw {
            if blank {
                return;
            }
            if !self.in_head_text() {
                self.ensure_body();
            }
        }
        self.push(Kind::Text {
            span: Span {
                start: start as u32,
                end: end as u32,
            },
            raw,
        });
    }

    fn in_head_text(&self) -> bool {
        self.open
            .last()
            .is_some_and(|o| matches!(o.tag, Tag::Title | Tag::Noscript | Tag::Template))
    }

    fn push(&mut self, kind: Kind) -> u32 {
        let id = self.nodes.len() as u32;
        let parent = self.open.last().map_or(0, |o| o.node);
        self.nodes.push(Node {
            parent,
            end: id + 1,
            kind,
        });
        id
    }

    fn pop(&mut self) {
        if let Some(closed) = self.open.pop() {
            self.nodes[closed.node as usize].end = self.nodes.len() as u32;
            if matches!(closed.tag, Tag::Svg | Tag::Math) {
                self.foreign = self.foreign.saturating_sub(1);
            }
        }
        while self.open.last().is_some_and(|o| o.ended) {
            self.pop_one();
        }
    }

    fn pop_one(&mut self) {
        if let Some(closed) = self.open.pop() {
            self.nodes[closed.node as usize].end = self.nodes.len() as u32;
        }
    }

    /// Closes down to the open element at `place`, including it.
    fn pop_to(&mut self, place: usize) {
        while self.open.len() > place {
            self.pop();
        }
    }

    fn open_implied(&mut self, tag: Tag) {
        // An empty span: the element is not in the source. Its name comes from the tag.
        let id = self.push(Kind::Element {
            tag,
            name: Span { start: 0, end: 0 },
            first_attr: 0,
            attrs: 0,
        });
        self.open.push(Open {
            node: id,
            tag,
            ended: false,
        });
    }

    fn ensure_html(&mut self) {
        if self.open.is_empty() {
            self.open_implied(Tag::Html);
        }
    }

    fn ensure_body(&mut self) {
        self.ensure_html();
        if !self.has_body {
            self.pop_to(1);
            self.has_head = true;
            self.has_body = true;
            self.open_implied(Tag::Body);
        }
    }

    fn read_tag(&mut self, start: usize) -> TagToken {
        let bytes = self.bytes;
        let is_end = |b: u8| b.is_ascii_whitespace() || b == b'/' || b == b'>';
        let mut at = start;
        while at < bytes.len() && !is_end(bytes[at]) {
            at += 1;
        }
        let name = Span {
            start: start as u32,
            end: at as u32,
        };
        let first_attr = self.attrs.len() as u32;
        let mut attrs = 0;
        let mut self_closing = false;
        loop {
            while at < bytes.len() && (bytes[at].is_ascii_whitespace() || bytes[at] == b'/') {
                self_closing = bytes[at] == b'/';
                at += 1;
            }
            if at >= bytes.len() || bytes[at] == b'>' {
                break;
            }
            self_closing = false;
            let name_start = at;
            at += 1; // A name may begin with `=`.
            while at < bytes.len() && !is_end(bytes[at]) && bytes[at] != b'=' {
                at += 1;
            }
            let attr_name = Span {
                start: name_start as u32,
                end: at as u32,
            };
            let mut value = Span {
                start: at as u32,
                end: at as u32,
            };
            let mut equals = at;
            while equals < bytes.len() && bytes[equals].is_ascii_whitespace() {
                equals += 1;
            }
            if bytes.get(equals) == Some(&b'=') {
                (value, at) = self.attribute_value(equals + 1);
            }
            if attrs < self.limits.attributes && at - start <= self.limits.tag_bytes {
                self.attrs.push(Attr {
                    name: attr_name,
                    value,
                });
                attrs += 1;
            } else {
                self.truncated = true;
            }
        }
        TagToken {
            tag: Tag::from_name(&self.source[name.start as usize..name.end as usize]),
            name,
            first_attr,
            attrs: u16::try_from(attrs).unwrap_or(u16::MAX),
            self_closing,
            next: (at + 1).min(bytes.len()),
        }
    }

    fn attribute_value(&self, mut at: usize) -> (Span, usize) {
        let bytes = self.bytes;
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let span = |start: usize, end: usize| Span {
            start: start as u32,
            end: end as u32,
        };
        match bytes.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let end = self.find(*quote, at + 1);
                (span(at + 1, end), (end + 1).min(bytes.len()))
            }
            _ => {
                let start = at;
                while at < bytes.len() && !bytes[at].is_ascii_whitespace() && bytes[at] != b'>' {
                    at += 1;
                }
                (span(start, at), at)
            }
        }
    }

    fn start_tag(&mut self, lt: usize) -> usize {
        let token = self.read_tag(lt + 1);
        let tag = token.tag;
        match tag {
            Tag::Html if !self.open.is_empty() => return token.next,
            Tag::Head if self.has_head || self.has_body => return token.next,
            Tag::Body if self.has_body => return token.next,
            Tag::Html => {}
            Tag::Head => {
                self.ensure_html();
                self.has_head = true;
            }
            Tag::Body => {
                self.ensure_html();
                self.pop_to(1);
                self.has_head = true;
                self.has_body = true;
            }
            _ if self.has_body => self.close_implied(tag),
            _ if tag.is_head_content() || self.in_head_text() => self.ensure_html(),
            _ => self.ensure_body(),
        }
        let id = self.push(Kind::Element {
            tag,
            name: token.name,
            first_attr: token.first_attr,
            attrs: token.attrs,
        });
        let is_foreign = self.foreign > 0;
        if tag.is_void()
            || (token.self_closing && (is_foreign || matches!(tag, Tag::Svg | Tag::Math)))
        {
            return token.next;
        }
        let raw = match tag {
            Tag::Script | Tag::Style => true,
            Tag::Iframe | Tag::Textarea | Tag::Title => !is_foreign,
            _ => false,
        };
        if raw {
            let (end, next) = self.raw_end(
                token.next,
                &self.source[token.name.start as usize..token.name.end as usize],
            );
            self.open.push(Open {
                node: id,
                tag,
                ended: false,
            });
            self.text(token.next, end, !matches!(tag, Tag::Textarea | Tag::Title));
            self.pop();
            return next;
        }
        if self.open.len() >= self.limits.depth {
            self.truncated = true;
            self.too_deep += 1;
            return token.next;
        }
        if matches!(tag, Tag::Svg | Tag::Math) {
            self.foreign += 1;
        }
        self.open.push(Open {
            node: id,
            tag,
            ended: false,
        });
        token.next
    }

    /// Where the raw text of `name` that begins at `from` ends, and where to go on.
    fn raw_end(&self, from: usize, name: &str) -> (usize, usize) {
        let mut at = from;
        loop {
            at = self.find(b'<', at);
            if at >= self.bytes.len() {
                return (at, at);
            }
            let after = &self.bytes[at + 1..];
            if after.first() == Some(&b'/')
                && after
                    .get(1..=name.len())
                    .is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
                && after
                    .get(name.len() + 1)
                    .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
            {
                return (at, (self.find(b'>', at) + 1).min(self.bytes.len()));
            }
            at += 1;
        }
    }

    /// Ends the elements that the start of `tag` ends (WHATWG HTML, 13.1.2.4).
    fn close_implied(&mut self, tag: Tag) {
        if self.too_deep > 0 {
            return;
        }
        if tag.closes_p() {
            self.close_nearest(&[Tag::P], &[Tag::Button]);
        }
        match tag {
            Tag::Li => self.close_nearest(&[Tag::Li], &[Tag::Ul, Tag::Ol, Tag::Menu]),
            Tag::Dd | Tag::Dt => self.close_nearest(&[Tag::Dd, Tag::Dt], &[Tag::Dl]),
            Tag::Option | Tag::Optgroup => {
                self.close_nearest(&[Tag::Option], &[Tag::Select]);
                if tag == Tag::Optgroup {
                    self.close_nearest(&[Tag::Optgroup], &[Tag::Select]);
                }
            }
            Tag::Td | Tag::Th => self.close_cells(&[Tag::Td, Tag::Th]),
            Tag::Tr => self.close_cells(&[Tag::Tr]),
            Tag::Tbody | Tag::Thead | Tag::Tfoot => {
                self.close_cells(&[Tag::Tbody, Tag::Thead, Tag::Tfoot]);
            }
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                let top = self.open.last().map(|o| o.tag);
                if matches!(
                    top,
                    Some(Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6)
                ) {
                    self.pop();
                }
            }
            _ => {}
        }
    }

    /// Closes the nearest open element of `tags`, unless a barrier is nearer.
    fn close_nearest(&mut self, tags: &[Tag], barriers: &[Tag]) {
        let found = self
            .open
            .iter()
            .rposition(|o| tags.contains(&o.tag) || barriers.contains(&o.tag) || o.tag.is_scope());
        if let Some(place) = found
            && tags.contains(&self.open[place].tag)
        {
            self.pop_to(place);
        }
    }

    /// As [`Self::close_nearest`] for parts of a table, up to the table.
    fn close_cells(&mut self, tags: &[Tag]) {
        let found = self
            .open
            .iter()
            .rposition(|o| tags.contains(&o.tag) || matches!(o.tag, Tag::Table | Tag::Template));
        if let Some(place) = found
            && tags.contains(&self.open[place].tag)
        {
            self.pop_to(place);
        }
    }

    fn end_tag(&mut self, lt: usize) -> usize {
        if !self.bytes[lt + 2].is_ascii_alphabetic() {
            return (self.find(b'>', lt) + 1).min(self.bytes.len());
        }
        let token = self.read_tag(lt + 2);
        self.attrs.truncate(token.first_attr as usize);
        let tag = token.tag;
        if self.too_deep > 0 {
            self.too_deep -= usize::from(!tag.is_void());
            return token.next;
        }
        // What follows the body still belongs to it.
        if matches!(tag, Tag::Html | Tag::Body) {
            return token.next;
        }
        let is_table_part = matches!(
            tag,
            Tag::Table
                | Tag::Td
                | Tag::Th
                | Tag::Tr
                | Tag::Tbody
                | Tag::Thead
                | Tag::Tfoot
                | Tag::Caption
                | Tag::Template
                | Tag::Object
        );
        let mut blocks_inside = false;
        for place in (0..self.open.len()).rev() {
            let open = &self.open[place];
            let same =
                open.tag == tag && (tag != Tag::Other || self.same_name(open.node, token.name));
            if same && !open.ended {
                if tag.is_formatting() && blocks_inside {
                    self.open[place].ended = true;
                } else {
                    self.pop_to(place);
                }
                break;
            }
            let barrier = if is_table_part {
                open.tag == Tag::Table && tag != Tag::Table
            } else {
                open.tag.is_scope()
            };
            if barrier || matches!(open.tag, Tag::Html | Tag::Body) {
                break;
            }
            blocks_inside |= !open.tag.is_inline();
        }
        token.next
    }

    fn same_name(&self, node: u32, name: Span) -> bool {
        let text = |s: Span| &self.bytes[s.start as usize..s.end as usize];
        match self.nodes[node as usize].kind {
            Kind::Element { name: other, .. } => text(other).eq_ignore_ascii_case(text(name)),
            _ => false,
        }
    }
}
