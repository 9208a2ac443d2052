//! What Rails answers and English would not, kept because the tables so named exist.

use relata_inflect::{pluralize, singularize};

#[test]
fn plurals_that_are_not_english() {
    for (singular, plural) in [
        ("human", "humen"),
        ("german", "germen"),
        ("bonus", "bonus"),
        ("lens", "lens"),
        ("hero", "heros"),
        ("leaf", "leafs"),
        ("appendix", "appendixes"),
        ("phenomena", "phenomenas"),
        ("shellfish", "shellfishes"),
    ] {
        assert_eq!(pluralize(singular), plural);
    }
}

#[test]
fn singulars_that_are_not_english() {
    for (plural, singular) in [
        ("waves", "wafe"),
        ("curves", "curf"),
        ("leaves", "leafe"),
        ("cookies", "cooky"),
        ("caches", "cach"),
        ("canoes", "cano"),
        ("campus", "campu"),
        ("gas", "ga"),
        ("metabases", "metabasis"),
    ] {
        assert_eq!(singularize(plural), singular);
    }
}

#[test]
fn words_known_only_where_they_stand_alone() {
    assert_eq!(pluralize("office_equipment"), "office_equipments");
    assert_eq!(singularize("user_species"), "user_specy");
    assert_eq!(pluralize("computer_mouse"), "computer_mouses");
    // Not even taken for a plural.
    assert_eq!(singularize("computer_mice"), "computer_mice");
    assert_eq!(pluralize("office equipment"), "office equipment");
}

#[test]
fn capitals_throughout_take_a_small_ending_as_in_rails() {
    assert_eq!(pluralize("HTML"), "HTMLs");
    assert_eq!(pluralize("CITY"), "CITies");
    assert_eq!(pluralize("PERSON"), "People");
    assert_eq!(singularize("POSTS"), "POST");
    // Not as in Rails, which would turn the S and the EOPLE into small letters.
    assert_eq!(pluralize("POSTS"), "POSTS");
    assert_eq!(pluralize("PEOPLE"), "PEOPLE");
}
