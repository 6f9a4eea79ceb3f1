//! Charts as inline SVG: coordinates are attributes, so the content security policy needs no inline styles.

use maud::{Markup, html};

use crate::facts::{Month, Spread};
use crate::show;

/// A bar for `value` with a tick at `threshold`; the figure stands beside it in the table.
pub fn bar(value: f64, threshold: f64, over: bool) -> Markup {
    const WIDTH: f64 = 160.0;
    // The threshold stands at two fifths, so that what is over it is seen to be over it.
    let scale = if threshold > 0.0 { WIDTH * 0.4 / threshold } else { WIDTH };
    let length = (value.max(0.0) * scale).min(WIDTH);
    html! {
        svg.bar viewBox="0 0 160 14" width="160" height="14" aria-hidden="true" {
            rect.track x="0" y="4" width="160" height="6" rx="3" {}
            rect class=(if over { "over" } else { "under" }) x="0" y="4" width=(tenths(length)) height="6" rx="3" {}
            line.tick x1="64" x2="64" y1="0" y2="14" {}
        }
    }
}

/// How the numbers of a column lie: a bar a bin. The ends stand below it.
pub fn histogram(column: &str, spread: &Spread) -> Markup {
    const WIDTH: f64 = 200.0;
    const HEIGHT: f64 = 34.0;
    let most = spread.counts.iter().copied().max().unwrap_or_default().max(1) as f64;
    let step = WIDTH / spread.counts.len().max(1) as f64;
    let gap = if step > 4.0 { 1.0 } else { 0.0 };
    html! {
        svg.histogram viewBox="0 0 200 36" width="200" height="36" role="img" aria-label=(spread_told(column, spread)) {
            @for (at, count) in spread.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                // Even one value is to be seen.
                @let height = (*count as f64 / most * HEIGHT).max(1.0);
                rect.column x=(tenths(at as f64 * step)) y=(tenths(HEIGHT - height)) width=(tenths(step - gap)) height=(tenths(height)) {}
            }
            line.base x1="0" x2="200" y1="35" y2="35" {}
        }
    }
}

fn spread_told(column: &str, spread: &Spread) -> String {
    let bins = spread.counts.len();
    let fullest = spread.counts.iter().enumerate().max_by_key(|(_, count)| **count).map_or(0, |(at, _)| at);
    let place = if bins < 2 {
        String::new()
    } else {
        format!("; most of them {:.0} % of the way up", 100.0 * (fullest as f64 + 0.5) / bins as f64)
    };
    format!("Values of {column} from {} to {}, median {}{place}", spread.least, spread.greatest, spread.median)
}

/// A short bar for one of several counts; the figure stands beside it.
pub fn part(count: u64, most: u64) -> Markup {
    let length = if most == 0 { 0.0 } else { 48.0 * count as f64 / most as f64 };
    html! {
        svg.bar viewBox="0 0 48 8" width="48" height="8" aria-hidden="true" {
            rect.track x="0" y="0" width="48" height="8" rx="2" {}
            rect.under x="0" y="0" width=(tenths(length)) height="8" rx="2" {}
        }
    }
}

/// The share of positive labels by month, as columns with their figures.
pub fn months(months: &[Month]) -> Markup {
    let highest = months.iter().map(|month| month.positive_share).fold(0.0, f64::max);
    let width = months.len() * STEP;
    html! {
        svg.months viewBox={ "0 0 " (width) " 150" } width=(width) height="150" role="img" aria-label=(told(months)) {
            line.base x1="0" x2=(width) y1="126" y2="126" {}
            @for (i, month) in months.iter().enumerate() { (column(i, month, highest)) }
        }
    }
}

const STEP: usize = 56;

fn column(i: usize, month: &Month, highest: f64) -> Markup {
    let height = if highest > 0.0 { 100.0 * month.positive_share / highest } else { 0.0 };
    let (left, middle) = (i * STEP + 10, i * STEP + STEP / 2);
    html! {
        rect.column x=(left) y=(tenths(126.0 - height)) width=(STEP - 20) height=(tenths(height)) rx="2" {}
        text.figure x=(middle) y=(tenths(120.0 - height)) { (show::share(month.positive_share)) }
        text.name x=(middle) y="143" { (short(&month.month)) }
    }
}

fn told(months: &[Month]) -> String {
    let each: Vec<String> =
        months.iter().map(|month| format!("{} {}", month.month, show::share(month.positive_share))).collect();
    format!("Share of positive labels by month: {}", each.join(", "))
}

/// `2013-07` is `Jul`, with the year in January.
fn short(month: &str) -> String {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parsed = month.split_once('-').and_then(|(year, number)| Some((year, number.parse::<usize>().ok()?)));
    match parsed {
        Some((year, 1)) => format!("Jan {}", year.get(2..).unwrap_or(year)),
        Some((_, number @ 2..=12)) => NAMES[number - 1].to_owned(),
        _ => month.to_owned(),
    }
}

fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_stays_in_its_track() {
        assert!(bar(99.0, 0.1, true).into_string().contains(r#"width="160.0""#));
        assert!(bar(0.1, 0.1, false).into_string().contains(r#"class="under" x="0" y="4" width="64.0""#));
        assert!(bar(f64::NAN, 0.0, false).into_string().contains(r#"width="0.0""#));
    }

    #[test]
    fn a_histogram_is_told_to_who_cannot_see_it() {
        let spread = Spread {
            least: "0".into(),
            median: "3".into(),
            mean: "3.5".into(),
            greatest: "9".into(),
            counts: vec![1, 0, 100, 7],
        };
        let drawn = histogram("gust", &spread).into_string();
        assert!(drawn.contains("Values of gust from 0 to 9, median 3; most of them 62 % of the way up"), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 3, "an empty bin is none");
        assert!(drawn.contains(r#"height="34.0""#) && drawn.contains(r#"height="1.0""#), "{drawn}");
    }

    #[test]
    fn months_are_told_to_who_cannot_see_them() {
        let drawn = months(&[Month { month: "2013-07".into(), rows: 10, positive_share: 0.25 }]).into_string();
        assert!(drawn.contains("by month: 2013-07 25.0 %") && drawn.contains(">Jul<"), "{drawn}");
        assert_eq!(short("2014-01"), "Jan 14");
    }
}
