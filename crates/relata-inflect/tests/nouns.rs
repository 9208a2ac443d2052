//! Nouns in both directions, and what holds for all of them: idempotence, compounds, case.

use relata_inflect::{classify, pluralize, singularize, tableize};

/// Singular and plural, grouped by the rule that relates them.
const NOUNS: &[(&str, &str)] = &[
    // A plain -s.
    ("account", "accounts"),
    ("action", "actions"),
    ("album", "albums"),
    ("appointment", "appointments"),
    ("article", "articles"),
    ("attachment", "attachments"),
    ("author", "authors"),
    ("badge", "badges"),
    ("block", "blocks"),
    ("blog", "blogs"),
    ("blouse", "blouses"),
    ("book", "books"),
    ("calendar", "calendars"),
    ("campaign", "campaigns"),
    ("cart", "carts"),
    ("case", "cases"),
    ("cause", "causes"),
    ("channel", "channels"),
    ("chapter", "chapters"),
    ("client", "clients"),
    ("clause", "clauses"),
    ("comment", "comments"),
    ("contact", "contacts"),
    ("contract", "contracts"),
    ("course", "courses"),
    ("customer", "customers"),
    ("database", "databases"),
    ("department", "departments"),
    ("device", "devices"),
    ("document", "documents"),
    ("driver", "drivers"),
    ("edge", "edges"),
    ("email", "emails"),
    ("employee", "employees"),
    ("event", "events"),
    ("exercise", "exercises"),
    ("experience", "experiences"),
    ("feature", "features"),
    ("file", "files"),
    ("friend", "friends"),
    ("grade", "grades"),
    ("group", "groups"),
    ("horse", "horses"),
    ("house", "houses"),
    ("image", "images"),
    ("invoice", "invoices"),
    ("item", "items"),
    ("job", "jobs"),
    ("label", "labels"),
    ("language", "languages"),
    ("license", "licenses"),
    ("line", "lines"),
    ("link", "links"),
    ("list", "lists"),
    ("location", "locations"),
    ("manager", "managers"),
    ("member", "members"),
    ("message", "messages"),
    ("module", "modules"),
    ("newsletter", "newsletters"),
    ("node", "nodes"),
    ("note", "notes"),
    ("notice", "notices"),
    ("order", "orders"),
    ("page", "pages"),
    ("parent", "parents"),
    ("patient", "patients"),
    ("payment", "payments"),
    ("phase", "phases"),
    ("phone", "phones"),
    ("picture", "pictures"),
    ("pirate", "pirates"),
    ("plan", "plans"),
    ("post", "posts"),
    ("price", "prices"),
    ("prize", "prizes"),
    ("product", "products"),
    ("profile", "profiles"),
    ("project", "projects"),
    ("purchase", "purchases"),
    ("purpose", "purposes"),
    ("question", "questions"),
    ("reader", "readers"),
    ("recipe", "recipes"),
    ("release", "releases"),
    ("response", "responses"),
    ("role", "roles"),
    ("room", "rooms"),
    ("rule", "rules"),
    ("service", "services"),
    ("session", "sessions"),
    ("shoe", "shoes"),
    ("slice", "slices"),
    ("spice", "spices"),
    ("stack", "stacks"),
    ("table", "tables"),
    ("tag", "tags"),
    ("task", "tasks"),
    ("team", "teams"),
    ("ticket", "tickets"),
    ("token", "tokens"),
    ("topic", "topics"),
    ("user", "users"),
    ("venue", "venues"),
    ("version", "versions"),
    ("vote", "votes"),
    ("warehouse", "warehouses"),
    ("window", "windows"),
    // -o, of which Rails knows two that take -es.
    ("buffalo", "buffaloes"),
    ("tomato", "tomatoes"),
    ("logo", "logos"),
    ("memo", "memos"),
    ("photo", "photos"),
    ("portfolio", "portfolios"),
    ("repo", "repos"),
    ("studio", "studios"),
    ("video", "videos"),
    // -y after a consonant or qu, and after a vowel.
    ("ability", "abilities"),
    ("activity", "activities"),
    ("agency", "agencies"),
    ("category", "categories"),
    ("city", "cities"),
    ("colloquy", "colloquies"),
    ("company", "companies"),
    ("country", "countries"),
    ("currency", "currencies"),
    ("delivery", "deliveries"),
    ("entry", "entries"),
    ("factory", "factories"),
    ("family", "families"),
    ("history", "histories"),
    ("inventory", "inventories"),
    ("library", "libraries"),
    ("policy", "policies"),
    ("property", "properties"),
    ("query", "queries"),
    ("reply", "replies"),
    ("soliloquy", "soliloquies"),
    ("story", "stories"),
    ("subsidiary", "subsidiaries"),
    ("summary", "summaries"),
    ("day", "days"),
    ("essay", "essays"),
    ("holiday", "holidays"),
    ("key", "keys"),
    ("survey", "surveys"),
    ("toy", "toys"),
    ("guy", "guys"),
    // Hissing endings.
    ("batch", "batches"),
    ("branch", "branches"),
    ("church", "churches"),
    ("match", "matches"),
    ("patch", "patches"),
    ("search", "searches"),
    ("switch", "switches"),
    ("watch", "watches"),
    ("box", "boxes"),
    ("fax", "faxes"),
    ("fix", "fixes"),
    ("inbox", "inboxes"),
    ("prefix", "prefixes"),
    ("suffix", "suffixes"),
    ("tax", "taxes"),
    ("access", "accesses"),
    ("address", "addresses"),
    ("boss", "bosses"),
    ("business", "businesses"),
    ("class", "classes"),
    ("glass", "glasses"),
    ("mattress", "mattresses"),
    ("pass", "passes"),
    ("process", "processes"),
    ("witness", "witnesses"),
    ("brush", "brushes"),
    ("crash", "crashes"),
    ("dish", "dishes"),
    ("hash", "hashes"),
    ("push", "pushes"),
    ("wish", "wishes"),
    // -s words that Rails knows by name.
    ("alias", "aliases"),
    ("status", "statuses"),
    ("bus", "buses"),
    ("syllabus", "syllabuses"),
    ("octopus", "octopi"),
    ("virus", "viri"),
    ("quiz", "quizzes"),
    // -sis and -xis.
    ("analysis", "analyses"),
    ("basis", "bases"),
    ("crisis", "crises"),
    ("diagnosis", "diagnoses"),
    ("parenthesis", "parentheses"),
    ("prognosis", "prognoses"),
    ("synopsis", "synopses"),
    ("synthesis", "syntheses"),
    ("thesis", "theses"),
    ("hypothesis", "hypotheses"),
    ("axis", "axes"),
    ("testis", "testes"),
    // -um.
    ("datum", "data"),
    ("medium", "media"),
    ("stadium", "stadia"),
    ("bacterium", "bacteria"),
    ("curriculum", "curriculums"),
    ("stratum", "strata"),
    // -ix and -ex.
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("index", "indices"),
    // -f, -fe, and the -ve that was neither.
    ("calf", "calves"),
    ("dwarf", "dwarves"),
    ("elf", "elves"),
    ("half", "halves"),
    ("scarf", "scarves"),
    ("shelf", "shelves"),
    ("wolf", "wolves"),
    ("knife", "knives"),
    ("life", "lives"),
    ("safe", "saves"),
    ("wife", "wives"),
    ("chief", "chiefs"),
    ("proof", "proofs"),
    ("tariff", "tariffs"),
    ("archive", "archives"),
    ("hive", "hives"),
    ("directive", "directives"),
    ("motive", "motives"),
    ("perspective", "perspectives"),
    // Vowels that change, and the irregular ones.
    ("louse", "lice"),
    ("mouse", "mice"),
    ("ox", "oxen"),
    ("man", "men"),
    ("woman", "women"),
    ("salesman", "salesmen"),
    ("spokesman", "spokesmen"),
    ("person", "people"),
    ("salesperson", "salespeople"),
    ("child", "children"),
    ("grandchild", "grandchildren"),
    ("sex", "sexes"),
    ("move", "moves"),
    ("movie", "movies"),
    ("zombie", "zombies"),
    // One form for both.
    ("equipment", "equipment"),
    ("fish", "fish"),
    ("information", "information"),
    ("jeans", "jeans"),
    ("money", "money"),
    ("news", "news"),
    ("police", "police"),
    ("rice", "rice"),
    ("series", "series"),
    ("sheep", "sheep"),
    ("species", "species"),
];

/// Nouns that Rails knows as whole words only, so their compounds go another way.
const WHOLE_WORDS: &[&str] = &[
    "axis",
    "testis",
    "louse",
    "mouse",
    "ox",
    "equipment",
    "fish",
    "information",
    "jeans",
    "money",
    "police",
    "rice",
    "sheep",
    "species",
];

#[test]
fn the_table_is_as_long_as_it_says_and_holds_no_noun_twice() {
    let mut singulars: Vec<_> = NOUNS.iter().map(|(singular, _)| singular).collect();
    singulars.sort_unstable();
    singulars.dedup();
    assert_eq!(singulars.len(), NOUNS.len());
    assert!(NOUNS.len() >= 250, "{}", NOUNS.len());
}

/// Runs `check` on every noun and reports all failures at once.
fn for_every_noun(check: impl Fn(&str, &str) -> (String, String)) {
    let mut wrong = Vec::new();
    for (singular, plural) in NOUNS {
        let (got, wanted) = check(singular, plural);
        if got != wanted {
            wrong.push(format!("{singular}/{plural}: {got}, not {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn singular_to_plural() {
    for_every_noun(|singular, plural| (pluralize(singular), plural.into()));
}

#[test]
fn plural_to_singular() {
    for_every_noun(|singular, plural| (singularize(plural), singular.into()));
}

#[test]
fn a_plural_is_already_plural() {
    for_every_noun(|_, plural| (pluralize(plural), plural.into()));
}

#[test]
fn a_singular_is_already_singular() {
    for_every_noun(|singular, _| (singularize(singular), singular.into()));
}

#[test]
fn the_first_letter_keeps_its_case() {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    for_every_noun(|singular, plural| (pluralize(&capital(singular)), capital(plural)));
    for_every_noun(|singular, plural| (singularize(&capital(plural)), capital(singular)));
}

#[test]
fn the_last_part_of_a_compound_is_inflected() {
    for_every_noun(|singular, plural| {
        if WHOLE_WORDS.contains(&singular) {
            return Default::default();
        }
        let (one, many) = (format!("user_{singular}"), format!("user_{plural}"));
        assert_eq!(singularize(&many), one);
        (pluralize(&one), many)
    });
}

#[test]
fn words_apart_are_whole_words() {
    for_every_noun(|singular, plural| {
        // Rails ties ox, mouse and axis to the start of the text rather than of a word.
        if ["axis", "testis", "louse", "mouse", "ox"].contains(&singular) {
            return Default::default();
        }
        let (one, many) = (format!("a {singular}"), format!("a {plural}"));
        assert_eq!(singularize(&many), one);
        (pluralize(&one), many)
    });
}

#[test]
fn a_table_leads_back_to_its_type() {
    for_every_noun(|singular, plural| {
        let name = singular[..1].to_uppercase() + &singular[1..];
        assert_eq!(tableize(&name), *plural);
        (classify(plural), name)
    });
}

#[test]
fn compounds_in_camel_case() {
    assert_eq!(pluralize("CamelOctopus"), "CamelOctopi");
    assert_eq!(singularize("CamelOctopi"), "CamelOctopus");
    assert_eq!(pluralize("SalesPerson"), "SalesPeople");
    assert_eq!(singularize("NodeChildren"), "NodeChild");
    assert_eq!(tableize("PrimarySpokesman"), "primary_spokesmen");
    assert_eq!(tableize("NodeChild"), "node_children");
}

#[test]
fn only_the_end_of_a_word_counts() {
    assert_eq!(pluralize("status_code"), "status_codes");
    assert_eq!(pluralize("matrix_fu"), "matrix_fus");
    assert_eq!(pluralize("diagnosis_a"), "diagnosis_as");
    assert_eq!(pluralize("person_name"), "person_names");
    assert_eq!(singularize("oxen_carts"), "oxen_cart");
}

#[test]
fn nothing_and_other_scripts_pass_through() {
    assert_eq!(pluralize(""), "");
    assert_eq!(singularize(""), "");
    assert_eq!(pluralize("café"), "cafés");
    assert_eq!(singularize("cafés"), "café");
    assert_eq!(pluralize("日本"), "日本s");
}
