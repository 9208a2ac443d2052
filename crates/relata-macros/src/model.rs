//! One declared model, as data: what `parse` makes, `check` judges and `emit` writes out.
//!
//! Invariant: positions of columns and associations are those of the emitted tables, so nothing is taken out of
//! the lists once a position was asked for, except by `fallback`, before anything is emitted.

mod association;
mod column;
mod naming;
mod types;
mod validation;

use proc_macro2::Ident;
use syn::{Attribute, Path, Visibility};

pub(crate) use association::{
    Association, Counter, Inverse, Macro, MemberLimit, Nested, RejectIf, Scope,
};
pub(crate) use column::{
    AllowNull, Column, Default, Enumeration, Normalization, Password, Reset, StoreAccessor,
};
pub(crate) use naming::{
    Generated, delegate_of, doc_of, ids_of, of_association, of_column, plain, target_name,
};
pub(crate) use types::{is_plain, owned_path, shown, unwrapped};
pub(crate) use validation::{Condition, Limit, Only, Rule, Validation};

/// One declared model.
pub(crate) struct Model {
    /// Attributes that go on the emitted struct.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) table: Option<String>,
    pub(crate) primary_key: PrimaryKey,
    /// The columns that name a row in every statement made from a record, where they were written.
    pub(crate) query_constraints: Vec<Ident>,
    pub(crate) strict_loading: bool,
    pub(crate) timestamps: Timestamps,
    pub(crate) locking: Locking,
    pub(crate) default_scope: Option<syn::ExprClosure>,
    /// The model that it is a subclass of.
    pub(crate) base: Option<Path>,
    /// The subclasses, and the column that names one, where rows are of several classes.
    pub(crate) subclasses: Vec<Path>,
    pub(crate) inheritance_column: Option<Ident>,
    pub(crate) polymorphic_name: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) associations: Vec<Association>,
    /// Those that a subclass inherits, and takes values for the members of.
    pub(crate) inherited_nested: Vec<(Ident, Nested)>,
    /// Whether parts were left out because something is wrong: other models then do not check against this one.
    pub(crate) broken: bool,
}

/// The primary key, as it was written.
pub(crate) enum PrimaryKey {
    /// Nothing was written: the field `id`.
    Convention,
    /// `primary_key = none`.
    None,
    /// One name or several.
    Names(Vec<Ident>),
}

/// Where the times of creation and change are kept, as it was written.
pub(crate) enum Timestamps {
    /// Nothing was written: in the columns of Rails' names.
    Conventional,
    /// `timestamps = none`.
    Off,
    /// Two names, either of which may be `none`.
    Named {
        created: Option<Ident>,
        updated: Option<Ident>,
    },
}

/// Where the version of a row is kept, as it was written.
pub(crate) enum Locking {
    /// Nothing was written: in `lock_version`, if that is a column.
    Conventional,
    /// `locking_column = none`.
    Off,
    Named(Ident),
}

impl Model {
    /// The model's name, `Post`.
    pub(crate) fn name(&self) -> String {
        naming::plain(&self.ident)
    }

    /// The table: what was written, or the name's plural.
    pub(crate) fn table(&self) -> String {
        let base = self.base.as_ref().and_then(|base| base.segments.last());
        let named = base.map_or_else(|| self.name(), |base| naming::plain(&base.ident));
        self.table
            .clone()
            .unwrap_or_else(|| relata_inflect::tableize(&named))
    }

    /// The column that other tables refer to this model with, by convention: `post_id`.
    pub(crate) fn foreign_key(&self) -> String {
        relata_inflect::foreign_key(&self.name())
    }

    /// The column that says of which class a row is.
    pub(crate) fn type_name(&self) -> String {
        let column = self.inheritance_column.as_ref();
        column.map_or_else(|| String::from("type"), naming::plain)
    }

    /// The position of the column with that field name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The positions of the primary key's columns, in the order that was written.
    pub(crate) fn key(&self) -> Vec<usize> {
        match &self.primary_key {
            PrimaryKey::None => Vec::new(),
            PrimaryKey::Convention => self.position("id").into_iter().collect(),
            PrimaryKey::Names(names) => self.positions(names),
        }
    }

    /// The positions of the columns with these names, of those that are there.
    pub(crate) fn positions(&self, names: &[Ident]) -> Vec<usize> {
        let position = |name| self.position(&naming::plain(name));
        names.iter().filter_map(position).collect()
    }

    /// Whether an association goes through one that goes through another: it is only read.
    pub(crate) fn is_nested(&self, association: &Association) -> bool {
        association.through.as_ref().is_some_and(|through| {
            let way = naming::plain(through);
            let mut all = self.associations.iter();
            all.any(|one| one.name == way && one.through.is_some())
        })
    }

    /// The names of all columns.
    pub(crate) fn column_names(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(|column| column.name.as_str())
            .collect()
    }
}
