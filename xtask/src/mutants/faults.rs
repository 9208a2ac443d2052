//! The faults: what a slip of the hand in the library could look like.
//!
//! Invariant: each compiles, and stands at one place only.

/// A fault.
pub(super) struct Fault {
    /// What it breaks.
    pub(super) breaks: &'static str,
    /// The file.
    pub(super) file: &'static str,
    /// What stands there.
    pub(super) from: &'static str,
    /// What is put in its place.
    pub(super) to: &'static str,
}

macro_rules! faults {
    ($($breaks:literal in $file:literal: $from:literal => $to:literal;)*) => {
        &[$(Fault {
            breaks: $breaks,
            file: concat!("crates/relata/src/", $file),
            from: $from,
            to: $to,
        }),*]
    };
}

#[rustfmt::skip] // one fault, three lines: this is a table
pub(super) const FAULTS: &[Fault] = faults! {
    "assigning leaves the key" in "association/write.rs":
        "        towards.copy_key(target)?;\n        towards.link(target);"
        => "        towards.link(target);";
    "a target never goes stale" in "association/target.rs":
        "        !key.is_empty() && self.owner.is_link_stale"
        => "        false && self.owner.is_link_stale";
    "loading forgets unsaved members" in "record/merge.rs":
        "                && (member.is_new_record() ||"
        => "                && (false ||";
    "loading gives known members new objects" in "record/merge.rs":
        "                    known.push((member.clone(), row));\n                    members.push(member.clone());"
        => "                    known.push((member.clone(), row.clone()));\n                    members.push(row);";
    "strict loading is not looked at" in "association/target.rs":
        "        if mode.is_none() {\n            return Ok(());"
        => "        if mode.is_none() || mode.is_some() {\n            return Ok(());";
    "an association's own strictness is not looked at" in "association/target.rs":
        "            Some(false) => None,\n            Some(true) => Some(StrictLoading::All),"
        => "            Some(false) | Some(true) => None,";
    "creating through a new owner is not refused" in "persistence/collection.rs":
        "        if self.owner().is_persisted() {\n            return Ok(());"
        => "        if self.owner().is_persisted() || self.owner().is_new_record() {\n            return Ok(());";
    "replacing keeps the members that leave" in "persistence/replace.rs":
        "            kept_by_callback = !delete(association, &plan.removed).await?;\n"
        => "";
    "replacing does not save the members that come" in "persistence/replace.rs":
        "save_each(association, &plan.added)"
        => "save_each(association, &[])";
    "deleting from a collection takes all rows" in "persistence/collection.rs":
        "        let rows = association.of_rows(&saved)?;"
        => "        let rows = { drop(saved); association.relation() };";
    "presence takes blank text" in "persistence/rules.rs":
        "        Value::Text(text) => text.trim().is_empty(),"
        => "        Value::Text(_) => false,";
    "an UPDATE writes no time" in "persistence/write.rs":
        "        if !record.column_changed(column) {\n"
        => "        if !record.column_changed(column) && column > 99 {\n";
    "an INSERT writes no time" in "persistence/write.rs":
        "        if record.value(column).is_null() {\n"
        => "        if record.value(column).is_null() && column > 99 {\n";
    "a rollback leaves records as they became" in "persistence/snapshot.rs":
        "    fn rolled_back(&self) {\n        self.restore();"
        => "    fn rolled_back(&self) {\n        let _ = &self.0;";
    "a destroyed record lives on" in "persistence/destroy.rs":
        "        false => Life::Destroyed,\n"
        => "        false => [record.life(), Life::Destroyed][0],\n";
    "reload keeps what was set" in "record/life.rs":
        "            let value = fresh.value(column);\n            self.fill(column, &value);\n        }\n        let state"
        => "            let value = fresh.value(column);\n            if !self.column_changed(column) {\n                self.fill(column, &value);\n            }\n        }\n        let state";
    "a default counts as a change" in "record/life.rs":
        "                self.fill(column, &default);"
        => "                let _ = self.set_value(column, default);";
    "a count leaves out what is not saved" in "loading/collection.rs":
        "    Ok(rows + unsaved.count() as u64)"
        => "    Ok(rows + unsaved.count() as u64 / 99)";
    "an empty count does not make a collection loaded" in "loading/collection.rs":
        "        association.forget(|member| !member.is_new_record());\n        association.complete();"
        => "        association.forget(|member| !member.is_new_record());";
    "a joined record is made once a row" in "loading/joined.rs":
        "            if let Some(&met) = self.known.get(&key) {\n                return Ok(Some(met));\n            }\n"
        => "";
    "a limit of an eager load cuts rows" in "loading/joined.rs":
        "    if select.is_cut() && multiply(&places)? {"
        => "    if select.is_cut() && places.is_empty() && multiply(&places)? {";
    "includes are never joined" in "relation.rs":
        "        if self.joins_includes()? {"
        => "        if self.joins_includes()? && self.eager.len() > 99 {";
    "a scope of the owner is that of the first" in "loading/parts.rs":
        "                && said.as_ref().map(Relation::select) == scope.as_ref().map(Relation::select)"
        => "                && said.is_some() == scope.is_some()";
    "a join leaves out the scope" in "sql/join.rs":
        "        for condition in conditions(hop, next, before)? {"
        => "        for condition in conditions(hop, next, before)?.into_iter().skip(9) {";
    "null is compared with =" in "sql/expr.rs":
        "            (Comparison::Equal, true) => Node::IsNull(Box::new(self)),"
        => "            (Comparison::Equal, true) => Node::Compare(comparison, Box::new(self), Box::new(Node::Value(value))),";
    "merging leaves out conditions" in "sql/select.rs":
        "            self.filters.push(node);\n        }\n        for join in &other.joins"
        => "            drop(node);\n        }\n        for join in &other.joins";
    "primary_key of an association is not looked at" in "reflection/resolve.rs":
        "if declaration.primary_key.is_empty() {"
        => "if declaration.primary_key.is_empty() || referred.primary_key().len() == 1 {";
    "a written inverse is not taken" in "reflection/inverse.rs":
        "            return Ok((Some(found), InverseReason::Written));"
        => "            return Ok((None, InverseReason::Written));";
    "an unknown option is taken" in "reflection/declared.rs":
        "        self.check_keys()?;\n"
        => "";
    "missing joins only rows that are there" in "relation/presence.rs":
        "            core.select.join(place, JoinKind::Left);\n            core.select.filter(condition);"
        => "            core.select.join(place, JoinKind::Inner);\n            core.select.filter(condition);";
};
