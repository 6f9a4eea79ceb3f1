//! Which columns of the tables a query's columns are made of, read off its plan.

use std::collections::BTreeMap;

use bedplate_lineage::How;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Join, LogicalPlan, SortExpr, Subquery};

/// A column of a table, by the name the query knows the table under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableColumn {
    pub table: String,
    pub column: String,
}

/// What one column of the answer came of, each with the closest way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    pub name: String,
    /// What its values are made of, and what decided which rows there are.
    pub of: BTreeMap<TableColumn, How>,
}

/// The columns of the answer, in its order.
pub(super) fn of(plan: &LogicalPlan) -> Vec<OutputColumn> {
    let made = made(plan);
    let fields = plan.schema().fields().iter();
    fields
        .zip(&made.columns)
        .map(|(field, column)| {
            let mut of = column.clone();
            add_all(&mut of, &made.rows, None);
            OutputColumn { name: field.name().clone(), of }
        })
        .collect()
}

type Uses = BTreeMap<TableColumn, How>;

/// What a step of the plan gives.
#[derive(Clone, Default)]
struct Made {
    /// One for each field of its schema.
    columns: Vec<Uses>,
    /// What decides which rows there are, of all columns alike.
    rows: Uses,
}

fn made(plan: &LogicalPlan) -> Made {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let table = scan.table_name.table().to_owned();
            let column = |name: &String| TableColumn { table: table.clone(), column: name.clone() };
            let fields = scan.projected_schema.fields().iter();
            Made {
                columns: fields.map(|field| [(column(field.name()), How::Identity)].into()).collect(),
                rows: Uses::new(),
            }
        }
        LogicalPlan::Projection(projection) => {
            let from = Input::of(&projection.input);
            Made { columns: from.all(&projection.expr, How::Transformation), rows: from.made.rows }
        }
        LogicalPlan::Filter(filter) => Input::of(&filter.input).narrowed([&filter.predicate], How::Filter),
        LogicalPlan::Sort(sort) => Input::of(&sort.input).narrowed(keys(&sort.expr), How::Sort),
        LogicalPlan::Window(window) => {
            let from = Input::of(&window.input);
            let more = from.all(&window.window_expr, How::Transformation);
            Made { columns: from.made.columns.into_iter().chain(more).collect(), rows: from.made.rows }
        }
        LogicalPlan::Aggregate(aggregate) => aggregated(aggregate),
        LogicalPlan::Join(join) => joined(join),
        LogicalPlan::Union(union) => union.inputs.iter().map(|input| made(input)).reduce(beside).unwrap_or_default(),
        LogicalPlan::Distinct(Distinct::On(distinct)) => {
            let from = Input::of(&distinct.input);
            let columns = from.all(&distinct.select_expr, How::Transformation);
            let chosen = distinct.on_expr.iter().chain(keys(distinct.sort_expr.as_deref().unwrap_or_default()));
            let narrowed = from.narrowed(chosen, How::GroupBy);
            Made { columns, rows: narrowed.rows }
        }
        LogicalPlan::Distinct(Distinct::All(input)) => made(input),
        LogicalPlan::SubqueryAlias(alias) => made(&alias.input),
        LogicalPlan::Subquery(subquery) => made(&subquery.subquery),
        LogicalPlan::Limit(limit) => made(&limit.input),
        LogicalPlan::Repartition(repartition) => made(&repartition.input),
        other => anything(other),
    }
}

fn keys(sort: &[SortExpr]) -> impl Iterator<Item = &Expr> {
    sort.iter().map(|key| &key.expr)
}

/// Of a step that is not taken apart, every column may be made of everything that goes in.
fn anything(plan: &LogicalPlan) -> Made {
    let mut all = Uses::new();
    let mut rows = Uses::new();
    for input in plan.inputs() {
        let input = made(input);
        input.columns.iter().for_each(|column| add_all(&mut all, column, Some(How::Transformation)));
        add_all(&mut rows, &input.rows, None);
    }
    Made { columns: vec![all; plan.schema().fields().len()], rows }
}

fn aggregated(aggregate: &Aggregate) -> Made {
    let from = Input::of(&aggregate.input);
    let fields = aggregate.schema.fields().len();
    let groups = from.all(&aggregate.group_expr, How::Transformation);
    let figures = from.all(&aggregate.aggr_expr, How::Aggregation);
    let mut rows = from.made.rows;
    groups.iter().for_each(|group| add_all(&mut rows, group, Some(How::GroupBy)));
    if groups.len() + figures.len() == fields {
        return Made { columns: groups.into_iter().chain(figures).collect(), rows };
    }
    // With grouping sets there are more fields than expressions.
    let mut any = Uses::new();
    groups.iter().for_each(|group| add_all(&mut any, group, None));
    let before = fields.saturating_sub(figures.len());
    Made { columns: std::iter::repeat_n(any, before).chain(figures).collect(), rows }
}

fn joined(join: &Join) -> Made {
    let (left, right) = (Input::of(&join.left), Input::of(&join.right));
    let mut rows = left.made.rows.clone();
    add_all(&mut rows, &right.made.rows, None);
    for (one, other) in &join.on {
        add_all(&mut rows, &left.uses(one), Some(How::Join));
        add_all(&mut rows, &right.uses(other), Some(How::Join));
    }
    if let Some(filter) = &join.filter {
        add_all(&mut rows, &left.uses(filter), Some(How::Join));
        add_all(&mut rows, &right.uses(filter), Some(How::Join));
    }
    let fields = join.schema.fields().len();
    let sides: Vec<Uses> = left.made.columns.into_iter().chain(right.made.columns).collect();
    let columns = if sides.len() == fields {
        sides
    } else {
        // Semi, anti and mark joins keep one side.
        let right = matches!(join.join_type, JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark);
        let kept = sides.into_iter().skip(if right { join.left.schema().fields().len() } else { 0 });
        kept.chain(std::iter::repeat(Uses::new())).take(fields).collect()
    };
    Made { columns, rows }
}

/// A union's columns, position by position.
fn beside(mut one: Made, other: Made) -> Made {
    for (column, more) in one.columns.iter_mut().zip(&other.columns) {
        add_all(column, more, None);
    }
    add_all(&mut one.rows, &other.rows, None);
    one
}

/// What expressions are read against.
struct Input<'a> {
    schema: &'a DFSchema,
    made: Made,
}

impl<'a> Input<'a> {
    fn of(plan: &'a LogicalPlan) -> Self {
        Self { schema: plan.schema(), made: made(plan) }
    }

    fn all(&self, expressions: &[Expr], how: How) -> Vec<Uses> {
        expressions.iter().map(|expression| self.column(expression, how)).collect()
    }

    /// The uses of a column of the answer: a plain name stays what it is.
    fn column(&self, expression: &Expr, how: How) -> Uses {
        match expression {
            Expr::Alias(alias) => self.column(&alias.expr, how),
            Expr::Column(column) => self.named(column),
            other => {
                let mut uses = Uses::new();
                add_all(&mut uses, &self.uses(other), Some(how));
                uses
            }
        }
    }

    /// The same columns, with rows chosen by what the expressions use.
    fn narrowed<'e>(self, by: impl IntoIterator<Item = &'e Expr>, how: How) -> Made {
        let mut rows = self.made.rows.clone();
        by.into_iter().for_each(|expression| add_all(&mut rows, &self.uses(expression), Some(how)));
        Made { rows, columns: self.made.columns }
    }

    fn named(&self, column: &Column) -> Uses {
        let place = self.schema.maybe_index_of_column(column);
        place.and_then(|place| self.made.columns.get(place)).cloned().unwrap_or_default()
    }

    /// Everything an expression uses, its subqueries' columns too.
    fn uses(&self, expression: &Expr) -> Uses {
        let mut uses = Uses::new();
        // The visitor never fails, and so neither does the walk.
        let _ = expression.apply(|part| {
            match part {
                Expr::Column(column) => add_all(&mut uses, &self.named(column), None),
                Expr::ScalarSubquery(subquery) => self.subquery(subquery, How::Transformation, &mut uses),
                Expr::InSubquery(inner) => self.subquery(&inner.subquery, How::Filter, &mut uses),
                Expr::Exists(inner) => self.subquery(&inner.subquery, How::Filter, &mut uses),
                Expr::SetComparison(inner) => self.subquery(&inner.subquery, How::Filter, &mut uses),
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        uses
    }

    fn subquery(&self, subquery: &Subquery, how: How, uses: &mut Uses) {
        let inner = made(&subquery.subquery);
        inner.columns.iter().for_each(|column| add_all(uses, column, Some(how)));
        add_all(uses, &inner.rows, None);
        for outer in &subquery.outer_ref_columns {
            if let Expr::OuterReferenceColumn(_, column) = outer {
                add_all(uses, &self.named(column), Some(How::Filter));
            }
        }
    }
}

/// Adds what `more` holds, by way of `how`: an indirect way stays indirect, and of two ways the closer one counts.
fn add_all(uses: &mut Uses, more: &Uses, how: Option<How>) {
    for (column, way) in more {
        let way = match how {
            Some(how) if way.is_direct() => how.max(*way),
            _ => *way,
        };
        let known = uses.entry(column.clone()).or_insert(way);
        *known = (*known).min(way);
    }
}
