//! Plans and drift as text, for a writer of the caller's.

use std::io::{Result, Write};

use serde_json::Value;

use crate::carry_out::Applied;
use crate::document::{Action, Field, Plan, Step};
use crate::drift::{Drift, Drifted};

/// The longest value that is shown whole.
const SHOWN: usize = 80;

/// Colours, or none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    pub color: bool,
}

impl Style {
    fn paint(self, code: u8, text: &str) -> String {
        if self.color && code > 0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The whole plan: a table with a row an object, what is behind each row, the budgets, and the sum.
///
/// # Errors
/// Those of `out`.
pub fn plan(out: &mut dyn Write, plan: &Plan, style: Style) -> Result<()> {
    let header = ["ACTION", "OBJECT", "FIELDS", "SITE", "PER HOUR", "PER MONTH", "POLICY", "APPROVALS"];
    let rows: Vec<Vec<String>> = plan.steps.iter().map(row).collect();
    if !rows.is_empty() {
        grid(out, &header, &rows, |row| action_code(&row[0]), style)?;
    }
    for step in plan.steps.iter().filter(|step| says_more(step)) {
        writeln!(out)?;
        detail(out, step, style)?;
    }
    budgets(out, plan, style)?;
    writeln!(out)?;
    summary(out, plan, style)
}

fn row(step: &Step) -> Vec<String> {
    let none = || "-".to_owned();
    let placement = step.placement.as_ref();
    let site = placement.map(|placement| placement.site.clone().unwrap_or_else(|| "nowhere".to_owned()));
    let monthly = step
        .cost
        .as_ref()
        .map(|cost| if cost.once { format!("{} once", cost.monthly) } else { cost.monthly.to_string() });
    let rules = || step.policy.rules.join(", ");
    let policy = match (step.policy.allowed, step.policy.rules.is_empty()) {
        (true, _) => rules(),
        (false, true) => "denied".to_owned(),
        (false, false) => format!("denied by {}", rules()),
    };
    let asks: Vec<String> = step.approvals.iter().map(|one| format!("{}: {}", one.class, one.asks)).collect();
    vec![
        step.action.as_str().to_owned(),
        step.object(),
        if step.diff.is_empty() { none() } else { step.diff.len().to_string() },
        site.unwrap_or_else(none),
        step.cost.as_ref().map_or_else(none, |cost| cost.hourly.to_string()),
        monthly.unwrap_or_else(none),
        policy,
        if asks.is_empty() { "none".to_owned() } else { asks.join("; ") },
    ]
}

fn action_code(action: &str) -> u8 {
    match action {
        "create" => 32,
        "update" => 33,
        "delete" | "unknown" => 31,
        _ => 2,
    }
}

fn says_more(step: &Step) -> bool {
    step.action != Action::Unchanged || step.is_denied() || !step.notes.is_empty()
}

fn detail(out: &mut dyn Write, step: &Step, style: Style) -> Result<()> {
    let source = step.source.as_ref().map(|source| format!("  ({source})")).unwrap_or_default();
    let action = step.action.as_str();
    writeln!(out, "{} {}{source}", style.paint(action_code(action), action), step.object())?;
    step.diff.iter().try_for_each(|one| field(out, one, style))?;
    if let Some(placement) = &step.placement {
        for site in &placement.sites {
            let mark = if Some(&site.site) == placement.site.as_ref() { "placed on" } else { "not on" };
            writeln!(out, "    {mark} {}: {}", site.site, site.why.join(", "))?;
        }
    }
    if let Some(cost) = step.cost.as_ref().filter(|cost| !cost.assumed.is_empty()) {
        writeln!(out, "    reckoned with {}, as it declares no other", cost.assumed.join(", "))?;
    }
    if step.action != Action::Unchanged && !step.policy.allowed {
        writeln!(out, "    {} {}", style.paint(31, "denied:"), step.policy.why)?;
    }
    for why in &step.refusals {
        writeln!(out, "    {} {why}", style.paint(31, "refused:"))?;
    }
    for one in &step.approvals {
        let (class, risk, evidence) = (&one.class, &one.risk, &one.evidence);
        writeln!(
            out,
            "    {} class {class} (risk {risk}) asks for {}: {evidence}",
            style.paint(33, "approval:"),
            one.asks
        )?;
        let waits =
            one.approval.as_ref().map(|name| format!("{name} is {}; ", one.state.as_deref().unwrap_or_default()));
        writeln!(out, "      {}{}", waits.unwrap_or_default(), one.fix)?;
    }
    step.notes.iter().try_for_each(|note| writeln!(out, "    note: {note}"))
}

fn field(out: &mut dyn Write, field: &Field, style: Style) -> Result<()> {
    let change = &field.change;
    let (mark, code, told) = match (&change.before, &change.after) {
        (None, Some(after)) => ("+", 32, shown(after)),
        (Some(before), None) => ("-", 31, shown(before)),
        (before, after) => {
            let told = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
            ("~", 33, format!("{} -> {}", told(before), told(after)))
        }
    };
    let owner = field.owner.as_ref().map(|owner| format!("  (set by {} at {})", owner.manager, owner.time));
    writeln!(out, "  {} {}: {told}{}", style.paint(code, mark), change.path, owner.unwrap_or_default())
}

/// A value on one line; a long one is cut.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn budgets(out: &mut dyn Write, plan: &Plan, style: Style) -> Result<()> {
    for budget in &plan.budgets {
        let word = if budget.exceeded { style.paint(31, "over budget") } else { style.paint(32, "within budget") };
        let (name, namespace, currency) = (&budget.name, &budget.namespace, &plan.currency);
        writeln!(
            out,
            "\n{word} {name} ({}, namespace {namespace}): {} spent this month and {} to come are {} of {} {currency}; {} without \
             this plan",
            budget.enforcement, budget.spent, budget.to_come, budget.total, budget.limit, budget.without
        )?;
    }
    Ok(())
}

fn summary(out: &mut dyn Write, plan: &Plan, style: Style) -> Result<()> {
    let sum = &plan.summary;
    let changes = sum.create + sum.update + sum.delete;
    if changes == 0 && plan.verdict == crate::Outcome::NoChange {
        return writeln!(out, "0 changes: {} as declared", objects(sum.unchanged));
    }
    let counts = format!(
        "{} to create, {} to update, {} to delete, {} unchanged",
        sum.create, sum.update, sum.delete, sum.unchanged
    );
    writeln!(out, "{counts}")?;
    let (hourly, monthly, once, currency) = (sum.hourly, sum.monthly, sum.once, &plan.currency);
    writeln!(out, "what stands costs {hourly} an hour, {monthly} a month; what runs once {once} {currency}")?;
    let (code, told) = match plan.verdict {
        crate::Outcome::NoChange => (32, "no change".to_owned()),
        crate::Outcome::Changes => (32, "it may be applied".to_owned()),
        crate::Outcome::ApprovalNeeded => {
            (33, format!("approval needed for {}: bedplate plan --request-approval REASON", objects(sum.need_approval)))
        }
        crate::Outcome::OverBudget => (31, "over budget: nothing of it may be applied".to_owned()),
        crate::Outcome::Denied => (31, format!("denied for {}: nothing of it may be applied", objects(sum.denied))),
    };
    writeln!(out, "{}", style.paint(code, &told))?;
    writeln!(out, "plan {}", plan.digest)
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// What was done, one object a line, and the sum.
///
/// # Errors
/// Those of `out`.
pub fn applied(out: &mut dyn Write, applied: &[Applied]) -> Result<()> {
    applied.iter().try_for_each(|one| writeln!(out, "{} {}", one.object, one.outcome))
}

/// `0 changes: 12 unchanged`, `3 changes: 2 created, 1 deleted`
#[must_use]
pub fn counted(applied: &[Applied]) -> String {
    let count = |word: &str| applied.iter().filter(|one| one.outcome == word).count();
    let words = ["created", "configured", "deleted", "unchanged"];
    let changes: usize = words[..3].iter().map(|word| count(word)).sum();
    let told: Vec<String> =
        words.iter().filter(|word| count(word) > 0).map(|word| format!("{} {word}", count(word))).collect();
    format!("{changes} change{}: {}", if changes == 1 { "" } else { "s" }, told.join(", "))
}

/// What drifted, as a table; then what is only not applied yet.
///
/// # Errors
/// Those of `out`.
pub fn drift(out: &mut dyn Write, drift: &Drift, style: Style) -> Result<()> {
    let header = ["OBJECT", "FIELD", "LIVE", "DECLARED", "BY", "WHEN"];
    let rows: Vec<Vec<String>> = drift.drifted.iter().map(drifted).collect();
    if !rows.is_empty() {
        grid(out, &header, &rows, |_| 0, style)?;
    }
    for path in &drift.pending {
        writeln!(out, "not applied yet: {path}")?;
    }
    for why in &drift.unknown {
        writeln!(out, "not known: {why}")?;
    }
    if rows.is_empty() {
        return writeln!(out, "no drift");
    }
    writeln!(
        out,
        "{} drifted; apply the manifests to restore them",
        if rows.len() == 1 { "1 field".to_owned() } else { format!("{} fields", rows.len()) }
    )
}

fn drifted(one: &Drifted) -> Vec<String> {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "absent".to_owned(), shown);
    let whole = one.path.is_empty();
    let by = |pick: fn(&crate::Owner) -> &str| one.by.as_ref().map_or("not known", pick).to_owned();
    vec![
        one.object.clone(),
        if whole { "(all of it)".to_owned() } else { one.path.clone() },
        value(&one.live),
        if whole { "(the object)".to_owned() } else { value(&one.declared) },
        by(|owner| &owner.manager),
        by(|owner| &owner.time),
    ]
}

/// How tests went: a line each, what failed and what a simulation came to below it, and the sum.
///
/// # Errors
/// Those of `out`.
pub fn outcomes(out: &mut dyn Write, outcomes: &[crate::check::Outcome], style: Style) -> Result<()> {
    let rows: Vec<Vec<String>> = outcomes
        .iter()
        .map(|one| vec![if one.passed { "passed" } else { "FAILED" }.to_owned(), one.suite.clone(), one.test.clone()])
        .collect();
    let code = |row: &[String]| if row[0] == "passed" { 32 } else { 31 };
    grid(out, &["RESULT", "SUITE", "TEST"], &rows, code, style)?;
    for one in outcomes.iter().filter(|one| !one.passed || !one.told.is_empty()) {
        writeln!(out, "\n{}: {}", one.suite, one.test)?;
        one.failures.iter().try_for_each(|why| writeln!(out, "  {} {why}", style.paint(31, "failed:")))?;
        one.told.iter().try_for_each(|told| writeln!(out, "  {told}"))?;
    }
    let failed = outcomes.iter().filter(|one| !one.passed).count();
    writeln!(out, "\n{} passed, {failed} failed", outcomes.len() - failed)
}

/// A table; `code` gives the colour of a row's first cell.
pub(crate) fn grid(
    out: &mut dyn Write,
    header: &[&str],
    rows: &[Vec<String>],
    code: fn(&[String]) -> u8,
    style: Style,
) -> Result<()> {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain([header[at].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = (usize, String)>| {
        cells
            .map(|(at, cell)| if at + 1 == header.len() { cell } else { format!("{cell:0$}", widths[at]) })
            .collect::<Vec<_>>()
            .join("   ")
    };
    writeln!(out, "{}", line(&mut header.iter().map(|cell| (*cell).to_owned()).enumerate()))?;
    for row in rows {
        let text = line(&mut row.iter().cloned().enumerate());
        let first = widths[0].min(text.len());
        let split = text.char_indices().nth(first).map_or(text.len(), |(at, _)| at);
        writeln!(out, "{}{}", style.paint(code(row), &text[..split]), &text[split..])?;
    }
    Ok(())
}
