//! Graphs: who keeps which rows alive.
//!
//! A graph owns batches and depends on other graphs. Rows that are linked both ways live in one graph; a link
//! one way makes the one graph depend on the other; a dependency that would close a cycle unites the graphs on
//! it. So graphs and dependencies are always without cycles, and plain counting frees everything.
//!
//! A united graph forwards to the one that took its batches, so handles that were made before stay valid.
//! Every graph has a rank above those of its dependencies: linking a newer record to an older one, the usual
//! case, needs no search.
//!
//! Invariants, all under one lock, `SHAPE`, that reads of attributes never take:
//! - a batch is owned by exactly one root (a graph that forwards to none), and names it in `Batch::owner`;
//! - a dependency is a root of lower rank, or was when it was added and forwards to one;
//! - a graph is dropped only when no handle, dependency or forward of another names it.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::batch::Batch;
use crate::hashing::Hashing;

/// Guards the shape of all graphs. Taken when links are made, never when they are followed.
static SHAPE: Mutex<()> = Mutex::new(());

/// Ranks of new graphs: each above all before.
static NEXT_RANK: AtomicI64 = AtomicI64::new(0);

/// Owns batches; see the module's documentation.
pub(crate) struct Graph {
    rank: AtomicI64,
    inner: Mutex<Inner>,
    forward: OnceLock<Arc<Graph>>,
}

#[derive(Default)]
struct Inner {
    batches: Vec<Arc<Batch>>,
    dependencies: HashMap<usize, Dependency, Hashing>,
    /// Keys of the graphs that were merged into this one, under which others may still depend on it.
    aliases: Vec<usize>,
}

struct Dependency {
    graph: Arc<Graph>,
    /// Links that rest on it.
    links: usize,
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
    fn discard(&mut self, graph: Arc<Graph>) {
        if let Some(shape) = &mut self.0 {
            shape.waste.push(graph);
        }
    }
}

impl Graph {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            rank: AtomicI64::new(NEXT_RANK.fetch_add(1, Ordering::Relaxed)),
            inner: Mutex::default(),
            forward: OnceLock::new(),
        })
    }

    /// A graph with one batch, which nobody else can see yet.
    pub(crate) fn with(batch: Batch) -> (Arc<Self>, Arc<Batch>) {
        let graph = Self::new();
        let batch = Arc::new(batch);
        batch.set_owner(&graph);
        graph.inner().batches.push(Arc::clone(&batch));
        (graph, batch)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rank(&self) -> i64 {
        self.rank.load(Ordering::Relaxed)
    }

    /// The graph that owns what this one owned.
    pub(crate) fn root(self: &Arc<Self>, _shape: &ShapeGuard) -> Arc<Self> {
        Arc::clone(forwarded(self))
    }

    /// Puts a batch into the root of this graph.
    pub(crate) fn adopt(self: &Arc<Self>, batch: Batch, shape: &ShapeGuard) -> Arc<Batch> {
        let root = self.root(shape);
        let batch = Arc::new(batch);
        batch.set_owner(&root);
        root.inner().batches.push(Arc::clone(&batch));
        batch
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
        if on.rank() >= from.rank() && !from.inner().dependencies.contains_key(&key(&on)) {
            let cycle = between(&on, &from);
            if !cycle.is_empty() {
                merge(cycle, shape);
                return None;
            }
            lower(&on, from.rank() - 1);
        }
        match from.inner().dependencies.entry(key(&on)) {
            Slot::Occupied(mut slot) => slot.get_mut().links += 1,
            Slot::Vacant(slot) => {
                slot.insert(Dependency {
                    graph: Arc::clone(&on),
                    links: 1,
                });
            }
        }
        Some(on)
    }

    /// Gives one link's hold on `other` back. The link must be gone already.
    pub(crate) fn release(self: &Arc<Self>, other: &Arc<Self>, shape: &mut ShapeGuard) {
        let (from, on) = (self.root(shape), other.root(shape));
        // It stands under the name it had when the link was made.
        for key in [key(other), key(&on)] {
            let mut inner = from.inner();
            if let Slot::Occupied(mut slot) = inner.dependencies.entry(key) {
                slot.get_mut().links -= 1;
                if slot.get().links == 0 {
                    let dependency = slot.remove();
                    drop(inner);
                    shape.discard(dependency.graph);
                }
                return;
            }
        }
    }

    /// Makes both one graph, together with everything on a path between them.
    pub(crate) fn unite(self: &Arc<Self>, other: &Arc<Self>, shape: &mut ShapeGuard) {
        let (a, b) = (self.root(shape), other.root(shape));
        if Arc::ptr_eq(&a, &b) {
            return;
        }
        let (low, high) = if a.rank() <= b.rank() { (a, b) } else { (b, a) };
        // Only the one of higher rank can reach the other.
        let mut together = between(&high, &low);
        if together.is_empty() {
            together = vec![high, low];
        }
        merge(together, shape);
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

    fn take_apart(&mut self, queue: &mut Vec<Arc<Graph>>) {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        queue.extend(
            inner
                .dependencies
                .drain()
                .map(|(_, dependency)| dependency.graph),
        );
        inner.batches.clear();
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

fn key(graph: &Arc<Graph>) -> usize {
    Arc::as_ptr(graph).addr()
}

fn forwarded(graph: &Arc<Graph>) -> &Arc<Graph> {
    let mut at = graph;
    while let Some(next) = at.forward.get() {
        at = next;
    }
    at
}

/// The roots that a root depends on.
fn dependencies(of: &Arc<Graph>) -> Vec<Arc<Graph>> {
    of.inner()
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

/// Gives `graph` the rank `rank` if it is above it, and everything it depends on a lower one.
fn lower(graph: &Arc<Graph>, rank: i64) {
    let mut queue = vec![(Arc::clone(graph), rank)];
    while let Some((graph, rank)) = queue.pop() {
        if graph.rank() > rank {
            graph.rank.store(rank, Ordering::Relaxed);
            queue.extend(
                dependencies(&graph)
                    .into_iter()
                    .map(|dependency| (dependency, rank - 1)),
            );
        }
    }
}

/// Moves everything into the largest of them; the others forward to it. Costs what the smaller ones hold.
fn merge(mut graphs: Vec<Arc<Graph>>, shape: &mut ShapeGuard) {
    let Some(largest) = (0..graphs.len()).max_by_key(|&at| graphs[at].inner().batches.len()) else {
        return;
    };
    let root = graphs.swap_remove(largest);
    let mut aliases = Vec::new();
    let mut moved = Vec::new();
    for graph in &graphs {
        let mut taken = std::mem::take(&mut *graph.inner());
        for batch in &taken.batches {
            batch.set_owner(&root);
        }
        root.inner().batches.append(&mut taken.batches);
        aliases.append(&mut taken.aliases);
        aliases.push(key(graph));
        moved.extend(taken.dependencies);
        // Set once: a graph is merged away only while it is a root.
        let _ = graph.forward.set(Arc::clone(&root));
    }

    // What depended on one of them would now depend on itself. An alias may name a graph that is gone and
    // whose address another one has now: only what forwards to the root goes.
    for alias in &aliases {
        let mut inner = root.inner();
        if let Slot::Occupied(slot) = inner.dependencies.entry(*alias)
            && Arc::ptr_eq(forwarded(&slot.get().graph), &root)
        {
            let dependency = slot.remove();
            drop(inner);
            shape.discard(dependency.graph);
        }
    }
    root.inner().aliases.append(&mut aliases);

    let lowest = graphs
        .iter()
        .map(|graph| graph.rank())
        .fold(root.rank(), i64::min);
    let mut below = if lowest < root.rank() {
        dependencies(&root)
    } else {
        Vec::new()
    };
    root.rank.store(lowest, Ordering::Relaxed);
    for (key, dependency) in moved {
        let on = Arc::clone(forwarded(&dependency.graph));
        if Arc::ptr_eq(&on, &root) {
            shape.discard(dependency.graph);
            continue;
        }
        below.push(on);
        match root.inner().dependencies.entry(key) {
            Slot::Occupied(mut slot) => {
                slot.get_mut().links += dependency.links;
                shape.discard(dependency.graph);
            }
            Slot::Vacant(slot) => {
                slot.insert(dependency);
            }
        }
    }
    for dependency in below {
        lower(&dependency, lowest - 1);
    }
    for graph in graphs {
        shape.discard(graph);
    }
}
