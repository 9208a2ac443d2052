//! Enums that cannot be told apart, or are stored as what they cannot be.

use relata::Attribute;

#[derive(Attribute)]
pub enum Empty {}

#[derive(Attribute)]
pub enum Same {
    Draft,
    #[attribute(rename = "draft")]
    Sketch,
}

#[derive(Attribute)]
#[attribute(repr = u64)]
pub enum Wide {
    One,
}

#[derive(Attribute)]
#[attribute(repr = i16)]
pub enum Number {
    #[attribute(rename = "one")]
    One,
}

#[derive(Attribute)]
pub enum Defaults {
    #[default]
    One,
    #[default]
    Two,
    #[attribute(renamed = "three")]
    Three,
}

fn main() {}
