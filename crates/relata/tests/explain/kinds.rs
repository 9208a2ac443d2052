//! Pages of the kinds that stand on others: through more than one, through one of several models, without joins, of an enum
//! of models, delegated, of classes of one table; and the plans of their saves.

use super::kept;
use relata::reflection::ModelReflection;
use relata::{Polymorphic, model};

/// Who owns things.
#[model]
pub struct Owner {
    id: i64,
    name: String,
    #[has_one]
    shed: Option<Shed>,
    #[has_many(dependent = destroy)]
    rentals: Rental,
    #[has_many(through = rentals, source = item, source_type = Tool)]
    rented_tools: Tool,
    #[has_many(through = rented_tools, source = parts)]
    rented_parts: Part,
    #[has_many(through = rentals, source = notes, disable_joins, default_order = |n| n.id.desc())]
    notes: Note,
    #[has_one(through = shed)]
    padlock: Option<Padlock>,
    #[has_many(as = about, dependent = delete_all, deprecated)]
    remarks: Note,
    #[has_one(as = about, scope = |n| n.order(|n| n.id.desc()))]
    last_remark: Option<Note>,
    #[has_many(dependent = destroy)]
    machines: Machine,
}

/// Where things are.
#[model]
pub struct Shed {
    id: i64,
    owner_id: i64,
    padlock_id: Option<i64>,
    #[belongs_to(autosave)]
    owner: Owner,
    #[belongs_to(dependent = destroy)]
    padlock: Option<Padlock>,
}

/// What keeps it shut.
#[model]
pub struct Padlock {
    id: i64,
    number: i64,
}

/// That an owner rents a thing.
#[model]
pub struct Rental {
    id: i64,
    owner_id: i64,
    item_id: i64,
    item_type: String,
    #[belongs_to(touch)]
    owner: Owner,
    #[belongs_to(polymorphic, counter_cache)]
    item: Item,
    #[has_many(as = about)]
    notes: Note,
}

/// What is rented.
#[derive(Polymorphic)]
pub enum Item {
    /// A tool.
    Tool(Tool),
    /// A place.
    Place(Place),
}

/// A tool.
#[model]
pub struct Tool {
    id: i64,
    #[column(default = 0)]
    rentals_count: i64,
    #[has_many(as = item)]
    rentals: Rental,
    #[has_many]
    parts: Part,
}

/// A part of a tool, known by two columns.
#[model(primary_key = (tool_id, number))]
pub struct Part {
    tool_id: i64,
    number: i64,
    #[belongs_to]
    tool: Tool,
}

/// A place.
#[model]
pub struct Place {
    id: i64,
    #[column(default = 0)]
    rentals_count: i64,
}

/// What is noted.
#[model]
pub struct Note {
    id: i64,
    about_id: i64,
    about_type: String,
    #[belongs_to(polymorphic)]
    about: About,
}

/// What can be noted about.
#[derive(Polymorphic)]
pub enum About {
    /// Its owner.
    Owner(Owner),
    /// A rental.
    Rental(Rental),
}

/// Machines are of several classes.
#[model(subclasses = (Pump, Saw))]
pub struct Machine {
    id: i64,
    r#type: Option<String>,
    owner_id: Option<i64>,
    driven_by_id: Option<i64>,
    #[belongs_to]
    owner: Option<Owner>,
    #[belongs_to(foreign_key = driven_by_id)]
    driven_by: Option<Machine>,
    #[has_many(foreign_key = driven_by_id, inverse_of = driven_by, dependent = nullify)]
    drives: Machine,
}

/// One of them.
#[model(base = Machine)]
pub struct Pump {
    #[has_many(foreign_key = driven_by_id)]
    saws: Saw,
}

/// Another.
#[model(base = Machine)]
pub struct Saw {}

/// A message or a comic of a feed.
#[model]
pub struct Entry {
    id: i64,
    owner_id: i64,
    entryable_id: i64,
    entryable_type: String,
    #[belongs_to]
    owner: Owner,
    #[delegated_type(types = (Message, Comic), dependent = destroy)]
    entryable: Entryable,
}

/// What an entry is.
#[derive(Polymorphic)]
pub enum Entryable {
    /// A message.
    Message(Message),
    /// A comic.
    Comic(Comic),
}

/// A message.
#[model]
pub struct Message {
    id: i64,
    #[has_one(as = entryable)]
    entry: Option<Entry>,
}

/// A comic.
#[model]
pub struct Comic {
    id: i64,
}

fn all(model: &'static ModelReflection, names: &[&str]) {
    for name in names {
        kept(model.reflect_on_association(name));
    }
}

#[test]
fn through_one_of_several_models_and_over_more_than_one() {
    all(
        Owner::reflection(),
        &["rented_tools", "rented_parts", "notes", "padlock"],
    );
}

#[test]
fn what_is_said_of_one_of_several_models_is_found_by_its_name() {
    all(Owner::reflection(), &["remarks", "last_remark"]);
    all(Tool::reflection(), &["rentals"]);
}

#[test]
fn an_enum_of_models_leads_to_each_of_them() {
    all(Rental::reflection(), &["item", "notes"]);
    all(Note::reflection(), &["about"]);
}

#[test]
fn a_delegated_type_has_methods_for_each_of_its_types() {
    all(Entry::reflection(), &["entryable"]);
    all(Message::reflection(), &["entry"]);
}

#[test]
fn classes_of_one_table_are_told_apart_and_inherit_associations() {
    all(Machine::reflection(), &["driven_by", "drives"]);
    all(Pump::reflection(), &["owner", "drives", "saws"]);
    all(Owner::reflection(), &["machines"]);
}

#[test]
fn keys_of_two_columns_of_which_one_leads_to_another_model() {
    all(Part::reflection(), &["tool"]);
    all(Tool::reflection(), &["parts"]);
}

#[test]
fn a_parent_that_goes_with_its_child() {
    all(Shed::reflection(), &["owner", "padlock"]);
    all(Owner::reflection(), &["shed", "rentals"]);
}

/// What a save and a destruction of each do, in the order in which they do it.
#[test]
fn plans_of_saves_and_destructions() {
    let models = [
        Owner::reflection(),
        Shed::reflection(),
        Rental::reflection(),
        Entry::reflection(),
        Machine::reflection(),
        Pump::reflection(),
        super::Person::reflection(),
        super::Post::reflection(),
        super::Line::reflection(),
    ];
    for model in models {
        let plan = format!("{}\n{}", model.explain_save(), model.explain_destroy());
        super::kept_as(&format!("{}.plan", model.name()), &plan);
    }
}
