//! Graphs: who keeps which rows alive.
//!
//! A graph owns batches and depends on other graphs. Rows that are linked both ways live in one graph; a link
//! one way makes the one graph depend on the other; a dependency that would close a cycle unites the graphs on
//! it. So graphs and dependencies are always without cycles, and plain counting frees everything.
//!
//! A united graph forwards to the one that took its batches, so handles that were made before stay valid.
//! Every graph has a rank above those of its dependencies, and counts what depends on it: linking a newer record
//! to an older one, or one that nothing leads to, needs no search. Those are the usual cases.
//!
//! Invariants, all under one lock, `SHAPE`, that reads of attributes never take:
//! - a batch is owned by exactly one root (a graph that forwards to none), and names it in `Batch::owner`;
//! - a dependency is a root of lower rank, or was one when it was added and forwards to one;
//! - a root's `dependents` are at least the dependencies that lead to it: 0 proves that no path does;
//! - a graph is dropped only when no handle, dependency or forward of another names it.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};

use super::batch::Batch;
use super::sync::{Arc, AtomicI64, Mutex, MutexGuard, OnceLock, Ordering, PoisonError, Weak};
use crate::hashing::Hashing;

/// Guards the shape of all graphs. Taken when links are made, never when they are followed.
static SHAPE: Mutex<()> = Mutex::new(());

#[cfg(test)]
thread_local! {
    /// What this thread looked at or moved: graphs, batches, dependencies. Tests hold it against the size of what
    /// they linked: what costs the square of it shows here, on a slow machine as on a fast one.
    pub(super) static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn count(work: usize) {
    WORK.set(WORK.get() + work);
}

#[cfg(not(test))]
fn count(_work: usize) {}

/// Ranks of new graphs: each above all before.
static NEXT_RANK: AtomicI64 = AtomicI64::new(0);

/// Owns batches; see the module's documentation.
pub(crate) struct Graph {
    rank: AtomicI64,
    /// Dependencies of other graphs on this one. Never too few; too many when one was dropped while this graph
    /// was being merged, which only costs searches.
    dependents: AtomicI64,
    inner: Mutex<Inner>,
    forward: OnceLock<Arc<Graph>>,
}

#[derive(Default)]
struct Inner {
    batches: Batches,
    dependencies: HashMap<usize, Dependency, Hashing>,
    /// Keys of the graphs that were merged into this one, under which others may still depend on it.
    aliases: Vec<usize>,
}

/// The batches of a graph. Most have one, which needs no list; without a first there are no more.
#[derive(Default)]
struct Batches {
    first: Option<Arc<Batch>>,
    more: Vec<Arc<Batch>>,
}

impl Batches {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<Batch>> {
        self.first.iter().chain(&self.more)
    }

    fn push(&mut self, batch: Arc<Batch>) {
        match &self.first {
            None => self.first = Some(batch),
            Some(_) => self.more.push(batch),
        }
    }

    /// Takes over what another holds.
    fn append(&mut self, mut other: Self) {
        if let Some(batch) = other.first {
            self.push(batch);
        }
        self.more.append(&mut other.more);
    }
}

struct Dependency {
    graph: Arc<Graph>,
    /// Links that rest on it.
    links: usize,
}

impl Dependency {
    fn on(graph: &Arc<Graph>) -> Self {
        graph.dependents.fetch_add(1, Ordering::Relaxed);
        Self {
            graph: Arc::clone(graph),
            links: 1,
        }
    }

    /// The graph, which one dependency less leads to.
    fn end(self) -> Arc<Graph> {
        forwarded(&self.graph)
            .dependents
            .fetch_sub(1, Ordering::Relaxed);
        self.graph
    }
}

/// The right to look at and change the shape of graphs.
pub(crate) struct Shape {
    _guard: MutexGuard<'static, ()>,
    /// What fell out of use while the lock was held: dropped after it.
    waste: Vec<Arc<Graph>>,
}

impl Shape {
    pub(crate) fn lock() -> ShapeGuard {
        let guard = SHAPE.lock().unwrap_or_else(PoisonError::into_inner);
        ShapeGuard(Some(Self {
            _guard: guard,
            waste: Vec::new(),
        }))
    }
}

/// Holds the shape lock; on drop the lock goes first, then what fell out of use.
pub(crate) struct ShapeGuard(Option<Shape>);

impl Drop for ShapeGuard {
    fn drop(&mut self) {
        if let Some(Shape { _guard, waste }) = self.0.take() {
            drop(_guard);
            drop(waste);
        }
    }
}

impl ShapeGuard {
    /// Keeps what may be the last name of a graph until the lock is free: dropping a graph runs foreign code.
    pub(crate) fn discard(&mut self, graph: Arc<Graph>) {
        if let Some(shape) = &mut self.0 {
            shape.waste.push(graph);
        }
    }
}

impl Graph {
    /// A graph with one batch, which nobody else can see yet. It is made where it stays: a find makes one.
    #[inline]
    pub(crate) fn with(batch: Arc<Batch>) -> Arc<Self> {
        Arc::new_cyclic(|graph| {
            batch.set_owner(Weak::clone(graph));
            let mut inner = Inner::default();
            inner.batches.push(batch);
            Self {
                rank: AtomicI64::new(highest_rank()),
                dependents: AtomicI64::new(0),
                inner: Mutex::new(inner),
                forward: OnceLock::new(),
            }
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rank(&self) -> i64 {
        self.rank.load(Ordering::Relaxed)
    }

    /// Whether a path of dependencies may lead here.
    fn is_depended_on(&self) -> bool {
        self.dependents.load(Ordering::Relaxed) > 0
    }

    /// Whether this root depends on another, and nothing else does: no path between them leads over a third.
    fn alone_depends_on(&self, on: &Arc<Self>) -> bool {
        count(1);
        let depends = |dependency: &Dependency| Arc::ptr_eq(forwarded(&dependency.graph), on);
        on.dependents.load(Ordering::Relaxed) == 1
            && self.inner().dependencies.get(&key(on)).is_some_and(depends)
    }

    /// The graph that owns what this one owned.
    pub(crate) fn root(self: &Arc<Self>, _shape: &ShapeGuard) -> Arc<Self> {
        Arc::clone(forwarded(self))
    }

    /// Puts a batch into the root of this graph.
    pub(crate) fn adopt(self: &Arc<Self>, batch: Arc<Batch>, shape: &ShapeGuard) {
        let root = self.root(shape);
        batch.set_owner(Arc::downgrade(&root));
        root.inner().batches.push(batch);
    }

    /// Makes this graph keep `other` alive for one more link. Unites them if `other` depends on this one.
    /// Gives the root that now keeps it, or `None` when both are one graph.
    pub(crate) fn depend(
        self: &Arc<Self>,
        other: &Arc<Self>,
        shape: &mut ShapeGuard,
    ) -> Option<Arc<Self>> {
        let (from, on) = (self.root(shape), other.root(shape));
        if Arc::ptr_eq(&from, &on) {
            return None;
        }
        if on.rank() >= from.rank() {
            if from.is_depended_on() {
                let cycle = between(&on, &from);
                if !cycle.is_empty() {
                    merge(cycle, Rank::Lowest, shape);
                    return None;
                }
                lower(&on, from.rank() - 1);
            } else {
                from.rank.store(highest_rank(), Ordering::Relaxed);
            }
        }
        match from.inner().dependencies.entry(key(&on)) {
            Slot::Occupied(mut slot) => slot.get_mut().links += 1,
            Slot::Vacant(slot) => {
                slot.insert(Dependency::on(&on));
            }
        }
        Some(on)
    }

    /// Gives back one link's hold on `on`, the very root that [`Graph::depend`] gave. The link must be gone already.
    pub(crate) fn release(self: &Arc<Self>, on: Arc<Self>, shape: &mut ShapeGuard) {
        let from = self.root(shape);
        // Nothing stands there any more when both were united since.
        if let Slot::Occupied(mut slot) = from.inner().dependencies.entry(key(&on)) {
            slot.get_mut().links -= 1;
            if slot.get().links == 0 {
                shape.discard(slot.remove().end());
            }
        }
        shape.discard(on);
    }

    /// Makes both one graph, together with everything on a path between them.
    pub(crate) fn unite(self: &Arc<Self>, other: &Arc<Self>, shape: &mut ShapeGuard) {
        let (a, b) = (self.root(shape), other.root(shape));
        if Arc::ptr_eq(&a, &b) {
            return;
        }
        let (low, high) = if a.rank() <= b.rank() { (a, b) } else { (b, a) };
        // Only the one of higher rank can reach the other.
        if !low.is_depended_on() || high.alone_depends_on(&low) {
            merge(vec![high, low], Rank::Highest, shape);
            return;
        }
        let mut together = between(&high, &low);
        if together.is_empty() {
            together = vec![high, low];
        }
        merge(together, Rank::Lowest, shape);
    }

    /// What is wrong with this graph and all that it depends on.
    #[cfg(test)]
    pub(crate) fn faults(self: &Arc<Self>) -> Vec<String> {
        let shape = Shape::lock();
        let (mut faults, mut seen, mut leads) = (
            Vec::new(),
            HashMap::new(),
            HashMap::<usize, i64, Hashing>::default(),
        );
        let mut queue = vec![self.root(&shape)];
        while let Some(graph) = queue.pop() {
            if seen.contains_key(&key(&graph)) {
                continue;
            }
            for batch in graph.inner().batches.iter() {
                if batch
                    .owner()
                    .is_none_or(|owner| !Arc::ptr_eq(&owner, &graph))
                {
                    faults.push("a batch names another owner".to_owned());
                }
            }
            for on in dependencies(&graph) {
                if on.rank() >= graph.rank() {
                    faults.push(format!(
                        "rank {} depends on rank {}",
                        graph.rank(),
                        on.rank()
                    ));
                }
                *leads.entry(key(&on)).or_default() += 1;
                queue.push(on);
            }
            seen.insert(key(&graph), graph);
        }
        for (key, leading) in leads {
            if seen[&key].dependents.load(Ordering::Relaxed) < leading {
                faults.push(format!(
                    "{leading} dependencies are counted as {:?}",
                    seen[&key].dependents
                ));
            }
        }
        faults
    }

    #[cfg(test)]
    pub(crate) fn batch_count(self: &Arc<Self>) -> usize {
        let shape = Shape::lock();
        self.root(&shape).inner().batches.len()
    }

    /// Rows and bytes that this graph's root owns, without its dependencies.
    pub(crate) fn figures(self: &Arc<Self>) -> (usize, usize) {
        let shape = Shape::lock();
        let root = self.root(&shape);
        let inner = root.inner();
        inner.batches.iter().fold((0, 0), |(rows, bytes), batch| {
            (rows + batch.len(), bytes + batch.bytes())
        })
    }

    #[inline]
    fn take_apart(&mut self, queue: &mut Vec<Arc<Graph>>) {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !inner.dependencies.is_empty() {
            let dependencies = inner.dependencies.drain();
            queue.extend(dependencies.map(|(_, dependency)| dependency.end()));
        }
        inner.batches = Batches::default();
        queue.extend(self.forward.take());
    }
}

/// A chain of graphs is dropped by a loop: recursion would overflow the stack.
impl Drop for Graph {
    fn drop(&mut self) {
        let mut queue = Vec::new();
        self.take_apart(&mut queue);
        while let Some(graph) = queue.pop() {
            if let Some(mut graph) = Arc::into_inner(graph) {
                graph.take_apart(&mut queue);
            }
        }
    }
}

/// A rank above all that were given so far.
fn highest_rank() -> i64 {
    NEXT_RANK.fetch_add(1, Ordering::Relaxed)
}

fn key(graph: &Arc<Graph>) -> usize {
    Arc::as_ptr(graph).addr()
}

fn forwarded(graph: &Arc<Graph>) -> &Arc<Graph> {
    let mut at = graph;
    while let Some(next) = at.forward.get() {
        count(1);
        at = next;
    }
    at
}

/// The roots that a root depends on.
fn dependencies(of: &Arc<Graph>) -> Vec<Arc<Graph>> {
    let inner = of.inner();
    count(1 + inner.dependencies.len());
    inner
        .dependencies
        .values()
        .map(|dependency| Arc::clone(forwarded(&dependency.graph)))
        .collect()
}

/// Every graph on a path of dependencies from `start` down to `goal`, both included; empty without a path.
fn between(start: &Arc<Graph>, goal: &Arc<Graph>) -> Vec<Arc<Graph>> {
    let floor = goal.rank();
    let mut leads: HashMap<usize, bool, Hashing> = HashMap::default();
    leads.insert(key(goal), true);
    let mut found = vec![Arc::clone(goal)];
    // A frame is a graph and what is left of its dependencies to look at.
    let mut frames = vec![(Arc::clone(start), dependencies(start), false)];
    leads.insert(key(start), false);
    while let Some((graph, left, reaches)) = frames.last_mut() {
        if let Some(next) = left.pop() {
            match leads.get(&key(&next)) {
                Some(&known) => *reaches |= known,
                // A path only goes down in rank: what is below the goal cannot reach it.
                None if next.rank() > floor => {
                    leads.insert(key(&next), false);
                    let further = dependencies(&next);
                    frames.push((next, further, false));
                }
                None => {}
            }
        } else {
            let (graph, reaches) = (Arc::clone(graph), *reaches);
            frames.pop();
            if reaches {
                leads.insert(key(&graph), true);
                found.push(graph);
                if let Some((.., above)) = frames.last_mut() {
                    *above = true;
                }
            }
        }
    }
    if found.len() > 1 { found } else { Vec::new() }
}

/// Gives `graph` the rank `rank` if it is above it, and what it depends on lower ones.
///
/// From high ranks to low, so that each graph is looked at once, after all that lead to it.
fn lower(graph: &Arc<Graph>, mut rank: i64) {
    if graph.rank() <= rank {
        return;
    }
    let mut queue = BTreeMap::from([((graph.rank(), key(graph)), Arc::clone(graph))]);
    while let Some((_, graph)) = queue.pop_last() {
        graph.rank.store(rank, Ordering::Relaxed);
        let above = dependencies(&graph)
            .into_iter()
            .filter(|dependency| dependency.rank() >= rank);
        queue.extend(above.map(|dependency| ((dependency.rank(), key(&dependency)), dependency)));
        rank -= 1;
    }
}

/// The rank of one graph made of several.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Nothing depends on the others but what is united with them: what is below the highest is below it still.
    Highest,
    /// It must be below all that depends on one of them, and what they depend on below it.
    Lowest,
}

/// Moves everything into the largest of them; the others forward to it. Costs what the smaller ones hold.
fn merge(mut graphs: Vec<Arc<Graph>>, rank: Rank, shape: &mut ShapeGuard) {
    let Some(largest) = (0..graphs.len()).max_by_key(|&at| graphs[at].inner().batches.len()) else {
        return;
    };
    let root = graphs.swap_remove(largest);
    let mut aliases = Vec::new();
    let mut moved = Vec::new();
    for graph in &graphs {
        let mut taken = std::mem::take(&mut *graph.inner());
        count(1 + taken.batches.len() + taken.dependencies.len() + taken.aliases.len());
        for batch in taken.batches.iter() {
            batch.set_owner(Arc::downgrade(&root));
        }
        root.inner().batches.append(taken.batches);
        aliases.append(&mut taken.aliases);
        aliases.push(key(graph));
        moved.extend(taken.dependencies);
        // Set once: a graph is merged away only while it is a root.
        let _ = graph.forward.set(Arc::clone(&root));
        root.dependents.fetch_add(
            graph.dependents.swap(0, Ordering::Relaxed),
            Ordering::Relaxed,
        );
    }

    // What depended on one of them would now depend on itself. An alias may name a graph that is gone and
    // whose address another one has now: only what forwards to the root goes.
    for alias in &aliases {
        let mut inner = root.inner();
        if let Slot::Occupied(slot) = inner.dependencies.entry(*alias)
            && Arc::ptr_eq(forwarded(&slot.get().graph), &root)
        {
            shape.discard(slot.remove().end());
        }
    }
    root.inner().aliases.append(&mut aliases);

    for (key, dependency) in moved {
        if Arc::ptr_eq(forwarded(&dependency.graph), &root) {
            shape.discard(dependency.end());
            continue;
        }
        match root.inner().dependencies.entry(key) {
            Slot::Occupied(mut slot) => {
                slot.get_mut().links += dependency.links;
                shape.discard(dependency.end());
            }
            Slot::Vacant(slot) => {
                slot.insert(dependency);
            }
        }
    }

    // The highest is above all dependencies, the lowest below all dependents.
    let ranks = || graphs.iter().chain([&root]).map(|graph| graph.rank());
    let (highest, lowest) = (
        ranks().fold(i64::MIN, i64::max),
        ranks().fold(i64::MAX, i64::min),
    );
    root.rank.store(highest, Ordering::Relaxed);
    if rank == Rank::Lowest && root.is_depended_on() {
        lower(&root, lowest);
    }
    for graph in graphs {
        shape.discard(graph);
    }
}
