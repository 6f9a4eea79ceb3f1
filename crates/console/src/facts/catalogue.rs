//! What is found in the catalogue.

/// What somebody asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueQuery {
    pub text: String,
    /// A kind as the form has it: `dataset`; empty: all.
    pub kind: String,
    /// Empty: all.
    pub namespace: String,
}

/// What the asker may know of.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// How many match.
    pub total: usize,
    /// And how many of each kind.
    pub kinds: Vec<(String, usize)>,
    /// The best of them.
    pub hits: Vec<CatalogueHit>,
}

#[derive(Clone, Debug)]
pub struct CatalogueHit {
    pub kind: String,
    pub namespace: String,
    /// `weather`, `weather.temp`, `wind:gust`
    pub name: String,
    /// The dataset that it is or is a column of, if it is.
    pub dataset: Option<String>,
    /// The feature view that it is or is a feature of, if it is.
    pub view: Option<String>,
    pub owner: String,
    pub description: String,
    pub classification: Option<String>,
    pub tags: Vec<String>,
    pub terms: Vec<String>,
    /// `FeatureService churn`
    pub used_by: Vec<String>,
    /// Of a feature, those that are computed alike: `wind:gust`.
    pub same_as: Vec<String>,
}
