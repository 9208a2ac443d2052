//! Names of tables within one statement: the first use of a table keeps its name, later ones get
//! `<association>_<parent's table>`, tables on the way of a through with `_join` after it, and repeats of that a number, as
//! in Rails.
//!
//! Invariant: no two places of a statement have one name.

use super::place::Place;
use crate::reflection::AssociationReflection;

#[derive(Debug, Default, Clone)]
pub(super) struct Aliases {
    names: Vec<(Place, String)>,
}

/// Identifiers are cut at the shortest limit of the databases we speak to.
const LONGEST: usize = 63;

impl Aliases {
    /// The name of the table at a place, if it has one yet.
    pub(super) fn get(&self, place: Place) -> Option<&str> {
        self.names
            .iter()
            .find(|(known, _)| *known == place)
            .map(|(_, name)| name.as_str())
    }

    /// Names the table at a place.
    pub(super) fn add(&mut self, place: Place) -> &str {
        let table = place.model().table();
        let name = if self.is_free(table) {
            table.to_owned()
        } else {
            let parent = place.above().map_or("", |above| above.model().table());
            let association = place.association().map_or("", AssociationReflection::name);
            let mut base = format!("{}_{parent}", relata_inflect::pluralize(association));
            if place.is_on_way() {
                base.push_str("_join");
            }
            base.truncate(base.floor_char_boundary(LONGEST - 3));
            let numbered = (2..).map(|number| format!("{base}_{number}"));
            std::iter::once(base.clone())
                .chain(numbered)
                .find(|name| self.is_free(name))
                .unwrap_or(base)
        };
        self.names.push((place, name));
        self.names.last().map_or("", |(_, name)| name)
    }

    /// Gives the table at a place a name that the statement itself makes.
    pub(super) fn add_as(&mut self, place: Place, name: &str) {
        self.names.push((place, name.to_owned()));
    }

    /// Forgets the names of tables that a query within this one has for itself.
    pub(super) fn forget(&mut self, is_own: impl Fn(Place) -> bool) {
        self.names.retain(|(place, _)| !is_own(*place));
    }

    fn is_free(&self, name: &str) -> bool {
        self.names.iter().all(|(_, taken)| taken != name)
    }
}
