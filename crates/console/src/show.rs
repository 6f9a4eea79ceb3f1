//! Figures as people read them.

use bedplate_types::{Micros, Money, Timestamp};
use maud::{Markup, html};

use crate::facts::State;

/// `336,776`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `420 µs`, `12.4 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`
pub fn length(micros: Micros) -> String {
    let us = micros.0;
    let seconds = us / 1_000_000;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        1_000_000..60_000_000 => format!("{seconds}.{} s", us % 1_000_000 / 100_000),
        60_000_000..3_600_000_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600_000_000..86_400_000_000 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// In minutes: what is older is told by its day.
const YEAR: i64 = 365 * 1_440;

/// Coarse on purpose: a page that is read again every two seconds should not flicker.
pub fn ago(at: Timestamp, now: Timestamp) -> Markup {
    let minutes = now.micros_since(at).max(0) / 60_000_000;
    let text = match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..1_440 => format!("{} h ago", minutes / 60),
        1_440..YEAR => format!("{} d ago", minutes / 1_440),
        _ => at.to_string().split('T').next().unwrap_or_default().to_owned(),
    };
    html! { time datetime=(at) title=(at) { (text) } }
}

/// How long it has been up, in whole minutes.
pub fn uptime(since: Timestamp, now: Timestamp) -> String {
    let minutes = now.micros_since(since).max(0) / 60_000_000;
    match minutes {
        0 => "under a minute".into(),
        1..60 => format!("{minutes} min"),
        60..1_440 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1_440, minutes % 1_440 / 60),
    }
}

/// Money to the hundredth, or to the millionth when it is less than one.
pub fn money(amount: Money, currency: &str) -> String {
    let text = amount.to_string();
    let whole = amount.0.unsigned_abs() >= 1_000_000;
    let shown = if whole { &text[..text.len() - 4] } else { text.as_str() };
    format!("{shown} {currency}")
}

/// `12.3 %`
pub fn share(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// The state as a shape and a word.
pub fn state(state: State) -> Markup {
    let (class, word) = words(state);
    html! {
        span class={ "state " (class) } {
            svg class="shape" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" { (shape(state)) }
            (word)
        }
    }
}

/// The CSS class and the word.
pub const fn words(state: State) -> (&'static str, &'static str) {
    match state {
        State::Absent => ("absent", "Not declared"),
        State::Pending => ("pending", "Pending"),
        State::Running => ("running", "Running"),
        State::Ready => ("ready", "Ready"),
        State::Succeeded => ("ready", "Succeeded"),
        State::Attention => ("attention", "Attention"),
        State::Failed => ("failed", "Failed"),
    }
}

fn shape(state: State) -> Markup {
    html! {
        @match state {
            State::Absent => path class="line" d="M2 6h8" {},
            State::Pending => circle class="line" cx="6" cy="6" r="4" {},
            State::Running => {
                circle class="line" cx="6" cy="6" r="4" {}
                path class="fill" d="M6 2a4 4 0 0 1 0 8z" {}
            },
            State::Ready => path class="line" d="M2 6.5 5 9.5 10 3" {},
            State::Succeeded => circle class="fill" cx="6" cy="6" r="4.5" {},
            State::Attention => path class="fill" d="M6 1 11.5 11H.5z" {},
            State::Failed => path class="line" d="M2.5 2.5l7 7m0-7l-7 7" {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 16, 999, 1_000, 336_776, 1_000_000].map(count),
            ["0", "16", "999", "1,000", "336,776", "1,000,000"]
        );
    }

    #[test]
    fn lengths_take_the_unit_that_fits() {
        let told = [420, 12_400, 3_250_000, 250_000_000, 7_500_000_000, 273_600_000_000].map(|us| length(Micros(us)));
        assert_eq!(told, ["420 µs", "12.4 ms", "3.2 s", "4 min 10 s", "2 h 5 min", "3 d 4 h"]);
    }

    #[test]
    fn what_is_long_ago_is_told_by_its_day() {
        let told = |minutes: i64| {
            let now = Timestamp::from_micros(1_767_000_000_000_000);
            ago(Timestamp::from_micros(now.micros() - minutes * 60_000_000), now).into_string()
        };
        for (minutes, expect) in
            [(0, "just now"), (59, "59 min ago"), (61, "1 h ago"), (2_880, "2 d ago"), (YEAR - 1, "364 d ago")]
        {
            assert!(told(minutes).contains(&format!(">{expect}<")), "{}", told(minutes));
        }
        assert!(told(YEAR).contains(">2024-12-29<"), "{}", told(YEAR));
    }

    #[test]
    fn small_money_keeps_its_digits() {
        assert_eq!(money(Money(12_345_678), "EUR"), "12.34 EUR");
        assert_eq!(money(Money(1_230), "EUR"), "0.001230 EUR");
        assert_eq!(money(Money(-2_500_000), "EUR"), "-2.50 EUR");
    }

    #[test]
    fn no_two_states_share_a_word_or_a_shape() {
        let all = [
            State::Absent,
            State::Pending,
            State::Running,
            State::Ready,
            State::Succeeded,
            State::Attention,
            State::Failed,
        ];
        let mut shown: Vec<_> = all.iter().map(|&s| (words(s).1, shape(s).into_string())).collect();
        shown.sort();
        shown.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1);
        assert_eq!(shown.len(), all.len());
    }
}
