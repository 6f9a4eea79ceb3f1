//! The table: what was measured, what is promised, and the peer beside it.

/// One line.
pub struct Line {
    pub what: String,
    pub found: f64,
    pub unit: &'static str,
    pub limit: Option<Limit>,
    /// The same of the peer.
    pub peer: Option<f64>,
}

#[derive(Clone, Copy)]
pub enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Line {
    pub fn new(
        what: impl Into<String>,
        found: f64,
        unit: &'static str,
        limit: Option<Limit>,
        peer: Option<f64>,
    ) -> Self {
        Self { what: what.into(), found, unit, limit, peer }
    }

    pub fn holds(&self) -> bool {
        match self.limit {
            Some(Limit::AtLeast(limit)) => self.found >= limit,
            Some(Limit::AtMost(limit)) => self.found <= limit,
            None => true,
        }
    }

    fn text(&self) -> String {
        let limit = match self.limit {
            Some(Limit::AtLeast(limit)) => format!(">= {limit}"),
            Some(Limit::AtMost(limit)) => format!("<= {limit}"),
            None => "-".into(),
        };
        let peer = self.peer.map_or_else(|| "-".into(), |peer| format!("{peer:.2}"));
        let ratio = self.peer.map_or_else(|| "-".into(), |peer| format!("{:.2}", self.found / peer));
        let verdict = if self.limit.is_none() {
            ""
        } else if self.holds() {
            "ok"
        } else {
            "MISS"
        };
        let line =
            format!("{:<52}{:>12.2} {:<5}{limit:>10}{peer:>12}{ratio:>8}  {verdict}", self.what, self.found, self.unit);
        line.trim_end().to_owned()
    }
}

/// Prints the lines; true when every promise holds.
pub fn print(title: &str, peer: &str, lines: &[Line]) -> bool {
    println!("{title:<52}{:>12}      {:>10}{peer:>12}{:>8}", "measured", "limit", "ratio");
    for line in lines {
        println!("{}", line.text());
    }
    lines.iter().all(Line::holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_called_one() {
        let line = |found, limit| Line::new("gets", found, "ms", Some(limit), Some(2.0));
        assert!(line(3.0, Limit::AtMost(2.0)).text().ends_with("1.50  MISS"));
        assert!(line(1.0, Limit::AtMost(2.0)).text().ends_with("ok") && line(3.0, Limit::AtLeast(2.0)).holds());
        assert!(!line(f64::NAN, Limit::AtMost(2.0)).holds(), "what was not measured is no success");
    }
}
