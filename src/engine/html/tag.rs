//! The element names that parsing and reading care about.

macro_rules! tags {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// An HTML element name; [`Tag::Other`] for all the rest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Tag { $($variant,)* Other }

        impl Tag {
            /// The tag of a name in any case.
            #[must_use]
            pub fn from_name(name: &str) -> Self {
                let mut lower = [0_u8; 12];
                let Some(buffer) = lower.get_mut(..name.len()) else {
                    return Self::Other;
                };
                buffer.copy_from_slice(name.as_bytes());
                buffer.make_ascii_lowercase();
                match std::str::from_utf8(buffer) {
                    $(Ok($name) => Self::$variant,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

tags! {
    A "a", Abbr "abbr", Address "address", Article "article", Aside "aside", Area "area",
    B "b", Base "base", Big "big", Blockquote "blockquote", Body "body", Br "br",
    Button "button", Caption "caption", Center "center", Code "code", Col "col",
    Colgroup "colgroup", Data "data", Dd "dd", Del "del", Details "details",
    Dialog "dialog", Div "div", Dl "dl", Dt "dt", Em "em", Embed "embed",
    Fieldset "fieldset", Figcaption "figcaption", Figure "figure", Font "font",
    Footer "footer", Form "form", H1 "h1", H2 "h2", H3 "h3", H4 "h4", H5 "h5", H6 "h6",
    Head "head", Header "header", Hr "hr", Html "html", I "i", Iframe "iframe", Img "img",
    Input "input", Ins "ins", Label "label", Legend "legend", Li "li", Link "link",
    Main "main", Math "math", Menu "menu", Meta "meta", Meter "meter", Nav "nav",
    Noscript "noscript", Object "object", Ol "ol", Optgroup "optgroup", Option "option",
    P "p", Param "param", Picture "picture", Pre "pre", S "s", Script "script",
    Section "section", Select "select", Small "small", Source "source", Span "span",
    Strike "strike", Strong "strong", Style "style", Sub "sub", Summary "summary",
    Sup "sup", Svg "svg", Table "table", Tbody "tbody", Td "td", Template "template",
    Textarea "textarea", Tfoot "tfoot", Th "th", Thead "thead", Time "time",
    Title "title", Tr "tr", Track "track", Tt "tt", U "u", Ul "ul", Wbr "wbr",
}

impl Tag {
    /// Elements without content (WHATWG HTML, 13.1.2).
    #[must_use]
    pub const fn is_void(self) -> bool {
        matches!(
            self,
            Self::Area
                | Self::Base
                | Self::Br
                | Self::Col
                | Self::Embed
                | Self::Hr
                | Self::Img
                | Self::Input
                | Self::Link
                | Self::Meta
                | Self::Param
                | Self::Source
                | Self::Track
                | Self::Wbr
        )
    }

    /// Elements that do not break a line of text.
    #[must_use]
    pub const fn is_inline(self) -> bool {
        matches!(
            self,
            Self::A
                | Self::Abbr
                | Self::B
                | Self::Big
                | Self::Code
                | Self::Data
                | Self::Del
                | Self::Em
                | Self::Font
                | Self::I
                | Self::Img
                | Self::Input
                | Self::Ins
                | Self::Label
                | Self::Link
                | Self::Meta
                | Self::Picture
                | Self::S
                | Self::Small
                | Self::Source
                | Self::Span
                | Self::Strike
                | Self::Strong
                | Self::Sub
                | Self::Sup
                | Self::Svg
                | Self::Time
                | Self::Tt
                | Self::U
                | Self::Wbr
                | Self::Other
        )
    }

    /// Elements whose content is never shown as text.
    #[must_use]
    pub const fn is_hidden(self) -> bool {
        matches!(
            self,
            Self::Script
                | Self::Style
                | Self::Template
                | Self::Svg
                | Self::Math
                | Self::Iframe
                | Self::Object
        )
    }

    /// Formatting elements: a misplaced end tag does not close the blocks inside.
    pub(super) const fn is_formatting(self) -> bool {
        matches!(
            self,
            Self::A
                | Self::B
                | Self::Big
                | Self::Code
                | Self::Em
                | Self::Font
                | Self::I
                | Self::S
                | Self::Small
                | Self::Strike
                | Self::Strong
                | Self::Tt
                | Self::U
        )
    }

    /// Elements whose start tag closes an open paragraph.
    pub(super) const fn closes_p(self) -> bool {
        matches!(
            self,
            Self::Address
                | Self::Article
                | Self::Aside
                | Self::Blockquote
                | Self::Center
                | Self::Details
                | Self::Dialog
                | Self::Div
                | Self::Dl
                | Self::Dd
                | Self::Dt
                | Self::Fieldset
                | Self::Figcaption
                | Self::Figure
                | Self::Footer
                | Self::Form
                | Self::H1
                | Self::H2
                | Self::H3
                | Self::H4
                | Self::H5
                | Self::H6
                | Self::Header
                | Self::Hr
                | Self::Li
                | Self::Main
                | Self::Menu
                | Self::Nav
                | Self::Ol
                | Self::P
                | Self::Pre
                | Self::Section
                | Self::Summary
                | Self::Table
                | Self::Ul
        )
    }

    /// Elements that may stand in the head.
    pub(super) const fn is_head_content(self) -> bool {
        matches!(
            self,
            Self::Base
                | Self::Link
                | Self::Meta
                | Self::Noscript
                | Self::Script
                | Self::Style
                | Self::Template
                | Self::Title
        )
    }

    /// Elements that end tags do not reach across (WHATWG HTML, "has an element in
    /// scope").
    pub(super) const fn is_scope(self) -> bool {
        matches!(
            self,
            Self::Html
                | Self::Table
                | Self::Td
                | Self::Th
                | Self::Caption
                | Self::Template
                | Self::Object
        )
    }
}
