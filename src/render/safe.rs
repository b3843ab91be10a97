//! The one sanitiser: text from a cluster or a file on its way to a terminal.

use std::fmt;

/// Text that a terminal shows as it is: no control characters, nothing invisible, nothing that changes the direction of
/// writing. The page takes nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Safe(String);

/// The longest text that is shown, in bytes. API messages are far shorter; only hostile text reaches it.
const LONGEST: usize = 64 * 1024;

impl Safe {
    /// Makes one line of text safe. Line breaks become visible like other control characters.
    pub fn line(text: impl fmt::Display) -> Self {
        let text = text.to_string();
        let cut = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (shown, rest) = text.split_at(cut);
        let mut safe = String::with_capacity(shown.len());
        for c in shown.chars() {
            match c {
                '\t' => safe.push(' '),
                c if is_harmless(c) => safe.push(c),
                c if (c as u32) < 0x100 => safe.push_str(&format!("\\x{:02x}", c as u32)),
                c => safe.push_str(&format!("\\u{{{:x}}}", c as u32)),
            }
        }
        if !rest.is_empty() {
            safe.push_str(&format!(" [{} more bytes]", rest.len()));
        }
        Self(safe)
    }

    /// Makes text of several lines safe, line by line.
    pub fn lines(text: &str) -> Vec<Self> {
        text.trim_end().split('\n').map(|line| Self::line(line.trim_end_matches('\r'))).collect()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character shows itself and changes nothing else: no control (C0, DEL, C1), no line or paragraph separator, no
/// bidi control, no zero-width or other invisible character, no tag, no private use.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::Safe;

    #[test]
    fn what_moves_a_terminal_becomes_visible() {
        for (raw, shown) in [
            ("\u{1b}[2J", "\\x1b[2J"),
            ("\u{9b}31m", "\\x9b31m"),
            ("a\rb\u{7f}", "a\\x0db\\x7f"),
            ("\u{202e}gnp", "\\u{202e}gnp"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("one\ntwo\tthree", "one\\x0atwo three"),
            ("naïve 日本 ✓", "naïve 日本 ✓"),
        ] {
            assert_eq!(Safe::line(raw).as_str(), shown);
        }
    }

    #[test]
    fn endless_text_ends() {
        let long = Safe::line("é".repeat(1 << 20));
        assert!(long.as_str().len() < 70_000);
        assert!(long.as_str().ends_with("more bytes]"));
    }
}
