//! The expansion relies on no import, not even the prelude.
#![no_implicit_prelude]

#[::relata::model(table = "people", strict_loading)]
pub struct Person {
    id: ::core::primitive::i64,
    name: ::std::string::String,
    age: ::core::option::Option<i64>,
    #[validates(presence)]
    status: Status,
    boss_id: ::core::option::Option<i64>,
    #[belongs_to]
    boss: ::core::option::Option<Person>,
    #[has_many(foreign_key = boss_id, scope = |people| people.limit(3))]
    people: Person,
}

#[derive(::relata::Attribute)]
pub enum Status {
    One,
    Two,
}

#[derive(::relata::Attribute)]
#[attribute(repr = i64)]
pub enum Number {
    One = 1,
    Two = 2,
}

#[derive(::relata::Attribute)]
pub struct Name(::std::string::String);

// What the standard library calls may be something else here.
pub trait Clone {}
pub struct String;
pub struct Vec;
pub enum Result {
    Ok,
    Err,
}

fn main() {}
