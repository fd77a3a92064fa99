//! HTML bytes to a bounded tree.
//!
//! [`parse`] decides the character set ([`charset`]), then builds an arena in one linear
//! pass (`tree`). It follows the WHATWG syntax closely enough for shop pages (implied
//! end tags, raw text, foreign content), without the rules that move nodes about
//! (foster parenting, adoption agency): those make the standard algorithm quadratic on
//! hostile input. [`Limits`] bound depth, nodes and attributes while parsing.
//!
//! Node ids are in document order and a subtree is a range of ids, so walking is a loop.
//! For CSS selectors, [`Document::to_scraper`] copies the tree into [`scraper::Html`].

pub mod charset;
pub mod entity;
mod tag;
mod tree;

pub use tag::Tag;

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, ns};
use std::borrow::Cow;
use std::ops::Range;

/// What a page may cost. The defaults hold for every page.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of decoded text; the rest is cut.
    pub bytes: usize,
    /// Open elements; deeper ones become siblings.
    pub depth: usize,
    /// Elements and texts; the rest is cut.
    pub nodes: usize,
    /// Attributes of one tag; the rest is dropped.
    pub attributes: usize,
    /// Bytes of one tag; attributes after that are dropped.
    pub tag_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 8 << 20,
            depth: 512,
            nodes: 200_000,
            attributes: 256,
            tag_bytes: 64 << 10,
        }
    }
}

/// A place in a [`Document`], in document order. The root is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The document itself.
    pub const ROOT: Self = Self(0);

    /// Its place in document order.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A span of the decoded source.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Document,
    Element {
        tag: Tag,
        name: Span,
        first_attr: u32,
        attrs: u16,
    },
    /// Character references are expanded on reading, unless `raw`.
    Text {
        span: Span,
        raw: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    /// One past the last id of the subtree.
    end: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
struct Attr {
    name: Span,
    value: Span,
}

/// A parsed page.
#[derive(Clone, Debug)]
pub struct Document {
    source: String,
    nodes: Vec<Node>,
    attrs: Vec<Attr>,
    charset: &'static str,
    truncated: bool,
}

/// Parses a page. Never fails: any bytes give a tree within [`Limits::default`].
/// `content_type` is the HTTP header, if known.
#[must_use]
pub fn parse(body: &[u8], content_type: Option<&str>) -> Document {
    parse_within(body, content_type, &Limits::default())
}

/// As [`parse`], within other limits.
#[must_use]
pub fn parse_within(body: &[u8], content_type: Option<&str>, limits: &Limits) -> Document {
    let cut = body.len() > limits.bytes;
    let (mut source, charset) =
        charset::decode(&body[..body.len().min(limits.bytes)], content_type);
    let mut truncated = cut;
    if source.len() > limits.bytes {
        let mut end = limits.bytes;
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        source.truncate(end);
        truncated = true;
    }
    tree::build(source, charset, truncated, limits)
}

impl Document {
    /// The character set it was decoded from, by its WHATWG name.
    #[must_use]
    pub const fn charset(&self) -> &'static str {
        self.charset
    }

    /// Whether a limit cut the page.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The decoded source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// All nodes in document order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The node at a place in document order, which must be below [`Self::len`].
    #[must_use]
    pub fn id_at(&self, index: usize) -> NodeId {
        debug_assert!(index < self.nodes.len());
        NodeId(index as u32)
    }

    /// The number of nodes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the page has no content.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    fn slice(&self, span: Span) -> &str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// The node above, `None` for the root.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        (id.0 != 0).then(|| NodeId(self.node(id).parent))
    }

    /// The nodes above, nearest first.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(id), |n| self.parent(*n))
    }

    /// The nodes below, in document order.
    pub fn descendants(&self, id: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        self.range(id).skip(1).map(|i| NodeId(i as u32))
    }

    /// The ids of the node and everything below.
    #[must_use]
    pub fn range(&self, id: NodeId) -> Range<usize> {
        id.index()..self.node(id).end as usize
    }

    /// Whether `inner` is `outer` or below it.
    #[must_use]
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        self.range(outer).contains(&inner.index())
    }

    /// The nodes directly below.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.range(id).end;
        let within = move |n: u32| (n as usize) < end;
        let first = Some(id.0 + 1).filter(|n| within(*n));
        std::iter::successors(first, move |n| {
            Some(self.nodes[*n as usize].end).filter(|n| within(*n))
        })
        .map(NodeId)
    }

    /// The element's tag, `None` for a text.
    #[must_use]
    pub fn tag(&self, id: NodeId) -> Option<Tag> {
        match self.node(id).kind {
            Kind::Element { tag, .. } => Some(tag),
            _ => None,
        }
    }

    /// The element's name as written; empty for a text.
    #[must_use]
    pub fn name(&self, id: NodeId) -> &str {
        match self.node(id).kind {
            // Elements the source left out have no name in it.
            Kind::Element {
                tag: Tag::Html,
                name,
                ..
            } if name.start == name.end => "html",
            Kind::Element { name, .. } if name.start == name.end => "body",
            Kind::Element { name, .. } => self.slice(name),
            _ => "",
        }
    }

    /// An attribute by its name in lower case, with character references expanded.
    #[must_use]
    pub fn attr(&self, id: NodeId, name: &str) -> Option<Cow<'_, str>> {
        self.raw_attr(id, name).map(entity::expand_attribute)
    }

    /// An attribute as it stands in the source: cheaper where references do not matter.
    #[must_use]
    pub fn raw_attr(&self, id: NodeId, name: &str) -> Option<&str> {
        self.attr_slice(id)
            .iter()
            .find(|a| self.slice(a.name).eq_ignore_ascii_case(name))
            .map(|a| self.slice(a.value))
    }

    /// All attributes in source order: name as written and raw value.
    pub fn attrs(&self, id: NodeId) -> impl Iterator<Item = (&str, &str)> {
        self.attr_slice(id)
            .iter()
            .map(|a| (self.slice(a.name), self.slice(a.value)))
    }

    fn attr_slice(&self, id: NodeId) -> &[Attr] {
        match self.node(id).kind {
            Kind::Element {
                first_attr, attrs, ..
            } => &self.attrs[first_attr as usize..first_attr as usize + usize::from(attrs)],
            _ => &[],
        }
    }

    /// The content of a text node, `None` for an element.
    #[must_use]
    pub fn text(&self, id: NodeId) -> Option<Cow<'_, str>> {
        match self.node(id).kind {
            Kind::Text { span, raw: true } => Some(Cow::Borrowed(self.slice(span))),
            Kind::Text { span, raw: false } => Some(entity::expand_text(self.slice(span))),
            _ => None,
        }
    }

    /// The content of a text node as it stands in the source.
    #[must_use]
    pub fn raw_text(&self, id: NodeId) -> Option<&str> {
        match self.node(id).kind {
            Kind::Text { span, .. } => Some(self.slice(span)),
            _ => None,
        }
    }

    /// The text a person reads below `id`, white space folded, at most about `max`
    /// bytes. Scripts, styles and templates are left out; block elements and line breaks
    /// separate words, inline elements do not.
    #[must_use]
    pub fn inner_text(&self, id: NodeId, max: usize) -> String {
        let mut out = String::new();
        let mut i = id.index();
        let end = self.range(id).end;
        while i < end && out.len() < max {
            let node = NodeId(i as u32);
            match self.node(node).kind {
                Kind::Element { tag, .. } => {
                    if tag.is_hidden() && node != id {
                        i = self.range(node).end;
                        continue;
                    }
                    if !tag.is_inline() && !out.ends_with(' ') {
                        out.push(' ');
                    }
                }
                Kind::Text { .. } => {
                    // A block that ended between the last text and this one separates.
                    if i > id.index() && self.follows_block(node) && !out.ends_with(' ') {
                        out.push(' ');
                    }
                    if let Some(text) = self.text(node) {
                        push_folded(&mut out, &text);
                    }
                }
                Kind::Document => {}
            }
            i += 1;
        }
        let trimmed = out.trim();
        if trimmed.len() == out.len() {
            out
        } else {
            trimmed.to_owned()
        }
    }

    fn follows_block(&self, text: NodeId) -> bool {
        let mut previous = text.0 - 1;
        let parent = self.node(text).parent;
        while previous != parent && previous != 0 {
            if let Kind::Element { tag, .. } = self.nodes[previous as usize].kind
                && !tag.is_inline()
            {
                return true;
            }
            let up = self.nodes[previous as usize].parent;
            if up >= previous || up <= parent {
                break;
            }
            previous = up;
        }
        false
    }

    /// The first element with this tag, in document order.
    #[must_use]
    pub fn first(&self, tag: Tag) -> Option<NodeId> {
        self.ids().find(|id| self.tag(*id) == Some(tag))
    }

    /// A copy for CSS selectors. Comments are not kept.
    #[must_use]
    pub fn to_scraper(&self) -> scraper::Html {
        let mut html = scraper::Html::new_document();
        let root = html.tree.root().id();
        let mut copies = Vec::with_capacity(self.nodes.len());
        copies.push(root);
        for id in self.ids().skip(1) {
            let node = match self.node(id).kind {
                Kind::Document => scraper::Node::Document,
                Kind::Text { .. } => scraper::Node::Text(scraper::node::Text {
                    text: StrTendril::from(self.text(id).unwrap_or_default().as_ref()),
                }),
                Kind::Element { .. } => scraper::Node::Element(scraper::node::Element::new(
                    html_name(self.name(id)),
                    self.unique_attributes(id),
                )),
            };
            let above = copies[self.node(id).parent as usize];
            let copy = match html.tree.get_mut(above) {
                Some(mut above) => above.append(node).id(),
                None => root,
            };
            copies.push(copy);
        }
        html
    }

    fn unique_attributes(&self, id: NodeId) -> Vec<Attribute> {
        let mut out: Vec<Attribute> = Vec::new();
        for (name, value) in self.attrs(id) {
            let name = QualName::new(None, ns!(), LocalName::from(name.to_ascii_lowercase()));
            if !out.iter().any(|a| a.name == name) {
                let value = entity::expand_attribute(value);
                out.push(Attribute {
                    name,
                    value: StrTendril::from(value.as_ref()),
                });
            }
        }
        out
    }
}

fn html_name(name: &str) -> QualName {
    QualName::new(None, ns!(html), LocalName::from(name.to_ascii_lowercase()))
}

/// Appends `text` with runs of white space folded to one space.
fn push_folded(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}' | '\u{2009}') {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outline(html: &str) -> String {
        let doc = parse(html.as_bytes(), None);
        let mut out = String::new();
        let mut ends = Vec::new();
        for id in doc.ids().skip(1) {
            while ends.last().is_some_and(|e| *e <= id.index()) {
                ends.pop();
                out.push(')');
            }
            if let Some(text) = doc.text(id) {
                out.push_str(&format!("{text:?}"));
            } else {
                out.push_str(doc.name(id));
                out.push('(');
                ends.push(doc.range(id).end);
            }
        }
        out + &")".repeat(ends.len())
    }

    #[test]
    fn implied_tags() {
        assert_eq!(
            outline("<ul><li>a<li>b</ul>c"),
            r#"html(body(ul(li("a")li("b"))"c"))"#
        );
        assert_eq!(
            outline("<p>a<div>b</div><p>c"),
            r#"html(body(p("a")div("b")p("c")))"#
        );
        assert_eq!(
            outline("<title>t &amp; u</title><table><tr><td>a<td>b<tr><td>c</table>d"),
            r#"html(title("t & u")body(table(tr(td("a")td("b"))tr(td("c")))"d"))"#
        );
        assert_eq!(
            outline("<a><div>x</a>y</div>z"),
            r#"html(body(a(div("x""y"))"z"))"#
        );
        assert_eq!(
            outline("</div></p>a < b<br/>c"),
            r#"html(body("a < b"br()"c"))"#
        );
    }

    #[test]
    fn raw_text_ends_only_at_its_own_tag() {
        assert_eq!(
            outline("<script>if (a<b) '</p>'</script >x<textarea><b>&lt;</textarea>"),
            r#"html(script("if (a<b) '</p>'")body("x"textarea("<b><")))"#
        );
        assert_eq!(
            outline("<body><svg><title>t</title><path/></svg>x"),
            r#"html(body(svg(title("t")path())"x"))"#
        );
        assert_eq!(outline("a<!-- <b> -->b<!-->c"), r#"html(body("a""b""c"))"#);
    }

    #[test]
    fn attributes() {
        let doc = parse(b"<a href='x&amp;y' B=1 c d = \"e\" b=2>", None);
        let a = doc.first(Tag::A).expect("the link");
        assert_eq!(doc.attr(a, "href").as_deref(), Some("x&y"));
        assert_eq!(doc.attr(a, "b").as_deref(), Some("1"));
        assert_eq!(doc.attr(a, "c").as_deref(), Some(""));
        assert_eq!(doc.attr(a, "d").as_deref(), Some("e"));
        assert_eq!(doc.attr(a, "e"), None);
    }

    #[test]
    fn text_as_read() {
        let doc = parse(
            b"<p>12<sup>99</sup> <b>EUR</b></p><script>1</script><div>a<br>b</div>c",
            None,
        );
        assert_eq!(doc.inner_text(NodeId::ROOT, 100), "1299 EUR a b c");
    }

    #[test]
    fn hostile_sizes_stay_within_the_limits() {
        let limits = Limits::default();
        for (html, cut) in [
            ("<div>".repeat(40_000), true),
            ("<ul><li>".repeat(20_000), true),
            ("<b><p>".repeat(20_000), false),
            ("<p>x".repeat(300_000), true),
            (
                format!(
                    "<div {}>",
                    (0..90_000).map(|i| format!("a{i}=1 ")).collect::<String>()
                ),
                true,
            ),
            ("<!--".repeat(50_000), false),
            ("<".repeat(200_000), false),
            ("</".repeat(100_000), false),
        ] {
            let doc = parse(html.as_bytes(), None);
            assert!(doc.len() <= limits.nodes + 1);
            assert!(
                doc.ids()
                    .all(|id| doc.ancestors(id).count() <= limits.depth + 1)
            );
            assert!(
                doc.ids()
                    .all(|id| doc.attrs(id).count() <= limits.attributes)
            );
            assert_eq!(doc.is_truncated(), cut, "{}", &html[..20]);
        }
    }

    #[test]
    fn selectors_work_on_the_copy() {
        let doc = parse(
            b"<div class='price now'><span>9</span></div><template><i>t</i></template>",
            None,
        );
        let html = doc.to_scraper();
        let selector = scraper::Selector::parse("body > div.price span").expect("selector");
        assert_eq!(
            html.select(&selector).next().map(|e| e.inner_html()),
            Some("9".into())
        );
        assert_eq!(html.root_element().value().name(), "html");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_sound_tree(body in prop::collection::vec(any::<u8>(), 0..400)) {
            check(&body);
        }

        #[test]
        fn any_tag_soup_gives_a_sound_tree(parts in prop::collection::vec("</?(p|b|a|div|table|td|tr|li|ul|svg|script|title|head|body|html|select|option)( a='x')?/?>|x|&amp;|<!--|-->", 0..60)) {
            check(parts.concat().as_bytes());
        }
    }

    /// Every subtree lies within its parent's, and the copy has as many nodes.
    fn check(body: &[u8]) {
        let doc = parse(body, None);
        for id in doc.ids().skip(1) {
            let above = doc.parent(id).expect("a parent");
            assert!(doc.range(above).contains(&id.index()));
            assert!(doc.range(id).end <= doc.range(above).end);
            assert!(doc.children(above).any(|c| c == id));
        }
        assert_eq!(doc.to_scraper().tree.nodes().count(), doc.len());
        let _ = doc.inner_text(NodeId::ROOT, 1000);
    }
}
