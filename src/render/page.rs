//! A page of text: lines, wrapped and styled. It takes only [`Safe`] text.

use owo_colors::Style as Paint;

use super::Safe;

/// How a report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colour are written.
    pub colour: bool,
    /// Columns to wrap at.
    pub width: usize,
    /// Whether remedies are shown.
    pub hints: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100, hints: true }
    }
}

/// What a piece of a line is, which decides its colour. Colour only repeats what the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Ordinary text.
    Plain,
    /// Labels, headings.
    Key,
    /// What is wrong.
    Bad,
    /// What is well.
    Good,
    /// What is on its way, or to be careful with.
    Warn,
    /// What is less important.
    Dim,
    /// Something to paste.
    Command,
}

/// A piece of a line.
pub struct Span(pub Ink, pub Safe);

/// A page in the making.
pub struct Page {
    text: String,
    style: Style,
}

impl Page {
    /// An empty page.
    pub fn new(style: Style) -> Self {
        Self { text: String::new(), style }
    }

    /// The page's text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// An empty line, unless the page ends with one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line that is never wrapped.
    pub fn line(&mut self, indent: usize, spans: &[Span]) {
        self.pad(indent);
        for Span(ink, text) in spans {
            self.ink(*ink, text.as_str());
        }
        self.end();
    }

    /// A line whose last piece wraps under its own beginning, or under `hang` if that comes earlier.
    pub fn hanging(&mut self, indent: usize, spans: &[Span], hang: usize) {
        let Some((Span(ink, last), firsts)) = spans.split_last() else { return };
        let before: usize =
            indent + firsts.iter().map(|Span(_, s)| textwrap::core::display_width(s.as_str())).sum::<usize>();
        let hang = hang.min(before);
        let width = self.style.width.max(40);
        let lead = " ".repeat(before.min(width / 2));
        let rest = " ".repeat(hang);
        let options = textwrap::Options::new(width)
            .initial_indent(&lead)
            .subsequent_indent(&rest)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .word_separator(textwrap::WordSeparator::AsciiSpace);
        let wrapped = textwrap::wrap(last.as_str(), options);
        self.pad(indent);
        for Span(ink, text) in firsts {
            self.ink(*ink, text.as_str());
        }
        for (n, line) in wrapped.iter().enumerate() {
            let cut = if n == 0 { lead.len() } else { rest.len() };
            if n > 0 {
                self.pad(hang);
            }
            self.ink(*ink, line.get(cut..).unwrap_or_default());
            self.end();
        }
        if wrapped.is_empty() {
            self.end();
        }
    }

    /// Text of several lines; each wraps under itself.
    pub fn block(&mut self, indent: usize, ink: Ink, lines: &[Safe]) {
        for line in lines {
            self.hanging(indent, &[Span(ink, line.clone())], indent);
        }
    }

    fn pad(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    fn end(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }

    fn ink(&mut self, ink: Ink, text: &str) {
        let paint = match ink {
            Ink::Plain => Paint::new(),
            Ink::Key => Paint::new().bold(),
            Ink::Bad => Paint::new().red().bold(),
            Ink::Good => Paint::new().green(),
            Ink::Warn => Paint::new().yellow(),
            Ink::Dim => Paint::new().dimmed(),
            Ink::Command => Paint::new().cyan(),
        };
        if self.style.colour && ink != Ink::Plain && !text.is_empty() {
            self.text.push_str(&paint.style(text).to_string());
        } else {
            self.text.push_str(text);
        }
    }
}
