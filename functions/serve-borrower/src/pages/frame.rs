//! The frame around each page: head, navigation, language, footer.

use duewatch_domain::policy::Language;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::request::PageRequest;
use crate::style::STYLE;
use crate::texts::Say;

/// The frame of a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) request: &'a PageRequest,
    pub(crate) say: Say,
    /// The token of the form that signs out; none: nobody is signed in.
    token: Option<String>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(request: &'a PageRequest, token: Option<String>) -> Self {
        Self { request, say: Say { language: request.language }, token }
    }

    /// A page of its title and its content.
    pub(crate) fn page(&self, title: &str, content: &Markup) -> Markup {
        let (say, root) = (self.say, &self.request.root);
        html! {
            (DOCTYPE)
            html lang=(say.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#content" { (say.t("skip")) }
                    header {
                        span.name { (say.t("site-name")) }
                        nav aria-label=(say.t("navigation")) {
                            ul {
                                li { a href=(root) { (say.t("nav-accounts")) } }
                                li { a href={ (root) "verify" } { (say.t("nav-verify")) } }
                                li { a href={ (root) "help" } { (say.t("nav-help")) } }
                                li { (self.other_language()) }
                                @if let Some(token) = &self.token {
                                    li {
                                        form method="post" action={ (root) "sign-out" } {
                                            input type="hidden" name="token" value=(token);
                                            button.plain type="submit" { (say.t("sign-out")) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    main id="content" { h1 { (title) } (content) }
                    footer {
                        p { (say.t("footer-genuine")) " " a href={ (root) "agencies" } { (say.t("nav-agencies")) } }
                    }
                }
            }
        }
    }

    /// The link to the same page in the other language; after a form, to the first page.
    fn other_language(&self) -> Markup {
        let (other, tag, name) = match self.say.language {
            Language::Zh => ("en", "en", "English"),
            Language::En => ("zh", "zh-CN", "\u{4e2d}\u{6587}"),
        };
        let path = if self.request.method == "POST" { self.request.root.as_str() } else { "" };
        html! { a href={ (path) "?lang=" (other) } lang=(tag) hreflang=(tag) { (name) } }
    }
}
