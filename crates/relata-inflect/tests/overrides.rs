//! Rules that an application adds, and which of two rules wins.

use relata_inflect::Inflections;

#[test]
fn an_added_rule_wins_over_the_english_one() {
    let rules = Inflections::english()
        .irregular("human", "humans")
        .plural("virus", "viruses")
        .singular("viruses", "virus");
    assert_eq!(rules.pluralize("human"), "humans");
    assert_eq!(rules.singularize("humans"), "human");
    assert_eq!(
        rules.pluralize("man"),
        "men",
        "the English rule is still there"
    );
    assert_eq!(rules.pluralize("virus"), "viruses");
    assert_eq!(rules.singularize("Viruses"), "Virus");
}

#[test]
fn the_later_rule_wins() {
    let rules = Inflections::english()
        .plural("cactus", "cactuses")
        .plural("cactus", "cacti");
    assert_eq!(rules.pluralize("cactus"), "cacti");
    let rules = rules.irregular("cactus", "cactuses");
    assert_eq!(rules.pluralize("cactus"), "cactuses");
}

#[test]
fn an_irregular_goes_both_ways_and_is_idempotent() {
    let rules = Inflections::english()
        .irregular("cow", "kine")
        .irregular("Foot", "Feet");
    for (singular, plural) in [
        ("cow", "kine"),
        ("Cow", "Kine"),
        ("dairy_cow", "dairy_kine"),
        ("DairyCow", "DairyKine"),
        ("Foot", "Feet"),
    ] {
        assert_eq!(rules.pluralize(singular), plural);
        assert_eq!(rules.pluralize(plural), plural);
        assert_eq!(rules.singularize(plural), singular);
        assert_eq!(rules.singularize(singular), singular);
    }
}

#[test]
fn one_form_may_be_declared() {
    let rules = Inflections::english().uncountable("feedback");
    assert_eq!(rules.tableize("Feedback"), "feedback");
    assert_eq!(rules.classify("feedback"), "Feedback");
    assert_eq!(rules.pluralize("some feedback"), "some feedback");
    // As whole words only, like the words that Rails knows.
    assert_eq!(rules.pluralize("user_feedback"), "user_feedbacks");
    let rules = rules.uncountable("user_feedback");
    assert_eq!(rules.tableize("UserFeedback"), "user_feedback");
    // It stands above every rule, added ones too.
    let rules = rules.plural("", "en");
    assert_eq!(rules.pluralize("feedback"), "feedback");
    assert_eq!(rules.pluralize("auto"), "autoen");
}

#[test]
fn one_form_may_be_taken_back() {
    let rules = Inflections::english()
        .uncountable("feedback")
        .irregular("fish", "fishes")
        .irregular("feedback", "feedbacks");
    assert_eq!(rules.pluralize("Fish"), "Fishes");
    assert_eq!(rules.singularize("fishes"), "fish");
    assert_eq!(rules.pluralize("feedback"), "feedbacks");
    assert_eq!(rules.pluralize("sheep"), "sheep");
    let rules = rules.uncountable("fish");
    assert_eq!(rules.pluralize("fish"), "fish", "and given again");
}

#[test]
fn a_suffix_takes_the_case_of_the_word() {
    let rules = Inflections::english()
        .plural("goose", "geese")
        .singular("geese", "goose");
    assert_eq!(rules.pluralize("Goose"), "Geese");
    assert_eq!(rules.pluralize("SnowGoose"), "SnowGeese");
    assert_eq!(rules.pluralize("snow_goose"), "snow_geese");
    assert_eq!(rules.singularize("Geese"), "Goose");
}

#[test]
fn other_languages_are_rules_too() {
    let rules = Inflections::english()
        .plural("ción", "ciones")
        .singular("ciones", "ción");
    assert_eq!(rules.pluralize("habitación"), "habitaciones");
    assert_eq!(rules.singularize("habitaciones"), "habitación");
}

#[test]
fn empty_declarations_change_nothing() {
    let rules = Inflections::english().acronym("").uncountable("");
    assert_eq!(rules, Inflections::default());
    assert_eq!(rules.camelize("admin_post"), "AdminPost");
}
