//! What each tile is computed from.
//!
//! A task makes one tile of one value. It reads whole tiles; the values in them that it needs are listed as (read, position in that tile).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use he_ir::{Groups, HeProgram, LinearMap, Node, Op, RefreshGroup, WeightBlock};

use super::TiledBackend;
use super::tiling::{Tiling, Tilings, keeps_tiles};
use crate::prepare::node_error;
use crate::{Backend, ExecuteError};

/// Values of the tiles that a task reads.
pub(super) type Places = Box<[(u32, u32)]>;

/// What a task does with what it reads.
#[derive(Debug)]
pub(super) enum Work<W> {
    /// Asks the key owner for elements of an input.
    Input { input: usize, elements: Arc<[u32]> },
    /// Sends values to the key owner; without places, the only tile as it is.
    Refresh { places: Option<Places>, groups: Option<Arc<[RefreshGroup]>> },
    /// Weighted sums of values.
    Linear { places: Places, weights: W },
    /// The operation on one tensor per operand.
    Operands(Vec<Source>),
}

/// An operand of a tile.
#[derive(Debug)]
pub(super) enum Source {
    /// A tile as it is, by its place among the reads.
    Tile(u32),
    /// Values that are copied together.
    Values(Places),
}

/// Which values a request sends, and which of them meet.
type Sent = (Option<Places>, Option<Arc<[RefreshGroup]>>);

/// How one tile is made.
#[derive(Debug)]
pub(super) struct Task<W> {
    pub(super) node: usize,
    pub(super) tile: usize,
    /// Numbers of the tiles that it reads, none twice.
    pub(super) reads: Vec<usize>,
    pub(super) work: Work<W>,
}

impl<W> Task<W> {
    /// Bytes of the lists of what it reads, weights apart.
    pub(super) fn byte_len(&self) -> usize {
        let bytes = |places: &Places| size_of_val(&places[..]);
        let work = match &self.work {
            Work::Input { .. } => 0,
            Work::Refresh { places, groups } => {
                let groups = groups.iter().flat_map(|groups| groups.iter()).map(RefreshGroup::byte_len).sum::<usize>();
                groups + places.as_ref().map_or(0, bytes)
            }
            Work::Linear { places, .. } => bytes(places),
            Work::Operands(operands) => {
                let operand = |operand: &Source| match operand {
                    Source::Tile(_) => 0,
                    Source::Values(places) => bytes(places),
                };
                size_of_val(&operands[..]) + operands.iter().map(operand).sum::<usize>()
            }
        };
        size_of::<Self>() + size_of_val(&self.reads[..]) + work
    }
}

/// The tasks of a program, and the bytes of its packed weights.
pub(super) type Tasks<B> = (Vec<Task<<B as Backend>::Weights>>, usize);

/// One task per tile, in the numbering of tiles, and the bytes of all packed weights.
pub(super) fn tasks<B: TiledBackend>(
    backend: &B,
    program: &HeProgram,
    tilings: &Tilings,
) -> Result<Tasks<B>, ExecuteError> {
    let mut tasks = Vec::with_capacity(tilings.count());
    let mut bytes = 0;
    let mut inputs = 0;
    for (index, node) in program.nodes().iter().enumerate() {
        let own = tilings.of(index).ok_or(ExecuteError::Missing { index })?;
        let mut layer = match node.op() {
            Op::Linear { map } => Some(Layer::<B>::new(backend, map)),
            _ => None,
        };
        let groups = groups_by_result(node);
        for tile in 0..own.tiles.len() {
            let elements = own.tiles.get(tile).ok_or(ExecuteError::Missing { index })?;
            let mut reader = Reader { program, tilings, node, reads: Vec::new(), known: HashMap::new() };
            let work = match (node.op(), &mut layer) {
                (Op::Input { .. }, _) => Work::Input { input: inputs, elements: Arc::clone(elements) },
                (Op::Linear { .. }, Some(layer)) => {
                    let (inputs, weights, tile_bytes) =
                        layer.tile(elements).map_err(|source| node_error(index, node, source))?;
                    bytes += tile_bytes;
                    Work::Linear { places: reader.places(&inputs).ok_or(ExecuteError::Missing { index })?, weights }
                }
                (Op::Refresh { .. }, _) => {
                    let (places, groups) =
                        reader.refresh(own, tile, elements, &groups).ok_or(ExecuteError::Missing { index })?;
                    Work::Refresh { places, groups }
                }
                _ => Work::Operands(reader.operands(own, tile, elements).ok_or(ExecuteError::Missing { index })?),
            };
            tasks.push(Task { node: index, tile, reads: reader.reads, work });
        }
        if let Some(layer) = layer {
            bytes += layer.packed.values().map(|block| backend.block_bytes(block)).sum::<usize>();
        }
        inputs += usize::from(matches!(node.op(), Op::Input { .. }));
    }
    Ok((tasks, bytes))
}

/// For each result of a refresh with groups, its group.
fn groups_by_result(node: &Node) -> Vec<usize> {
    let Op::Refresh { refresh } = node.op() else { return Vec::new() };
    let mut groups = vec![usize::MAX; refresh.results()];
    for (index, group) in refresh.groups.iter().flatten().enumerate() {
        for &output in &group.outputs {
            if let Some(slot) = groups.get_mut(output as usize) {
                *slot = index;
            }
        }
    }
    groups
}

/// Collects the tiles that a task reads.
struct Reader<'a> {
    program: &'a HeProgram,
    tilings: &'a Tilings,
    node: &'a Node,
    reads: Vec<usize>,
    /// Number of a tile -> its position among the reads.
    known: HashMap<usize, u32>,
}

impl Reader<'_> {
    fn read(&mut self, number: usize) -> u32 {
        let next = self.reads.len() as u32;
        let reads = &mut self.reads;
        *self.known.entry(number).or_insert_with(|| {
            reads.push(number);
            next
        })
    }

    /// Elements of the operands, counted on from one operand to the next.
    fn places(&mut self, elements: &[u32]) -> Option<Places> {
        let counts: Vec<(usize, usize)> = self
            .node
            .operands()
            .iter()
            .map(|id| {
                let count = self.program.node(*id).map_or(0, |node| node.value().elements());
                (id.index(), count)
            })
            .collect();
        elements
            .iter()
            .map(|&element| {
                let mut element = element as usize;
                let mut operands = counts.iter();
                let value = loop {
                    let (value, count) = operands.next()?;
                    match element.checked_sub(*count) {
                        Some(rest) => element = rest,
                        None => break *value,
                    }
                };
                let &(tile, position) = self.tilings.of(value)?.places.get(element)?;
                Some((self.read(self.tilings.number(value, tile as usize)), position))
            })
            .collect()
    }

    /// Whether an operand has the tiles of the result, so that one of them serves as it is.
    fn same_tile(&self, own: &Arc<Tiling>, tile: usize, operand: usize) -> Option<usize> {
        let theirs = self.tilings.of(operand)?;
        let same = Arc::ptr_eq(own, theirs) || own.tiles.get(tile) == theirs.tiles.get(tile);
        (same && keeps_tiles(self.node.op())).then(|| self.tilings.number(operand, tile))
    }

    /// One list per operand: the result's elements, or what they are gathered from.
    fn operands(&mut self, own: &Arc<Tiling>, tile: usize, elements: &[u32]) -> Option<Vec<Source>> {
        let mut lists = Vec::with_capacity(self.node.operands().len());
        for operand in self.node.operands() {
            if let Some(number) = self.same_tile(own, tile, operand.index()) {
                let read = self.read(number);
                lists.push(Source::Tile(read));
                continue;
            }
            let wanted: Vec<u32> = match self.node.op() {
                Op::Gather { indices, .. } => {
                    elements.iter().map(|&e| indices.get(e as usize).copied()).collect::<Option<_>>()?
                }
                _ => elements.to_vec(),
            };
            let theirs = self.tilings.of(operand.index())?;
            let place = |&element: &u32| theirs.places.get(element as usize).copied();
            let places: Vec<(u32, u32)> = wanted.iter().map(place).collect::<Option<_>>()?;
            let list = places
                .into_iter()
                .map(|(tile, position)| (self.read(self.tilings.number(operand.index(), tile as usize)), position));
            lists.push(Source::Values(list.collect()));
        }
        Some(lists)
    }

    /// What is sent, and which values of it meet.
    fn refresh(&mut self, own: &Arc<Tiling>, tile: usize, elements: &[u32], by_result: &[usize]) -> Option<Sent> {
        let Op::Refresh { refresh } = self.node.op() else { return None };
        let Some(groups) = &refresh.groups else {
            if let [operand] = self.node.operands()
                && let Some(number) = self.same_tile(own, tile, operand.index())
            {
                self.read(number);
                return Some((None, None));
            }
            return Some((Some(self.places(elements)?), None));
        };
        // Tiles keep the results of a group together.
        let mut sent: Vec<u32> = Vec::new();
        let mut position: HashMap<u32, u32> = HashMap::new();
        let mut local = Vec::new();
        let mut results: HashMap<u32, u32> = HashMap::new();
        elements.iter().zip(0..).for_each(|(&e, at)| {
            results.insert(e, at);
        });
        let mut seen = HashSet::new();
        for &element in elements {
            let index = *by_result.get(element as usize)?;
            if !seen.insert(index) {
                continue;
            }
            let group = groups.get(index)?;
            let inputs = group.inputs.iter().map(|&input| {
                *position.entry(input).or_insert_with(|| {
                    sent.push(input);
                    sent.len() as u32 - 1
                })
            });
            let inputs = inputs.collect();
            let outputs = group.outputs.iter().map(|o| results.get(o).copied()).collect::<Option<_>>()?;
            local.push(RefreshGroup { inputs, outputs });
        }
        Some((Some(self.places(&sent)?), Some(local.into())))
    }
}

/// A linear map whose tiles are packed one after the other; equal rows of a block are packed once.
struct Layer<'a, B: TiledBackend> {
    backend: &'a B,
    map: &'a LinearMap,
    /// Group and row of each output.
    rows: Vec<(u32, u32)>,
    packed: HashMap<(usize, Vec<u32>), B::Block>,
}

impl<'a, B: TiledBackend> Layer<'a, B> {
    fn new(backend: &'a B, map: &'a LinearMap) -> Self {
        let mut rows = vec![(u32::MAX, 0); map.outputs()];
        for (index, group) in map.groups().iter().enumerate() {
            for (row, &output) in group.outputs.iter().enumerate() {
                if let Some(slot) = rows.get_mut(output as usize) {
                    *slot = (index as u32, row as u32);
                }
            }
        }
        Self { backend, map, rows, packed: HashMap::new() }
    }

    /// The inputs that a tile reads, its weights, and the bytes of what they hold beside blocks.
    fn tile(&mut self, elements: &[u32]) -> Result<(Vec<u32>, B::Weights, usize), B::Error> {
        // Rows of each group that stand in the tile: (row of the block, place in the tile).
        let mut parts: Vec<(usize, Vec<(u32, u32)>)> = Vec::new();
        let mut part_of: HashMap<u32, usize> = HashMap::new();
        for (&element, place) in elements.iter().zip(0..) {
            let &(group, row) = self.rows.get(element as usize).unwrap_or(&(u32::MAX, 0));
            if group == u32::MAX {
                continue;
            }
            let part = *part_of.entry(group).or_insert_with(|| {
                parts.push((group as usize, Vec::new()));
                parts.len() - 1
            });
            if let Some((_, rows)) = parts.get_mut(part) {
                rows.push((row, place));
            }
        }
        let mut inputs: Vec<u32> = Vec::new();
        let mut local: HashMap<u32, u32> = HashMap::new();
        let (mut blocks, mut block_of) = (Vec::new(), HashMap::new());
        let mut groups = Groups::default();
        for (index, mut rows) in parts {
            let Some(group) = self.map.groups().get(index) else { continue };
            rows.sort_unstable();
            let key = (group.block, rows.iter().map(|(row, _)| *row).collect::<Vec<u32>>());
            let block = match block_of.get(&key) {
                Some(&block) => block,
                None => {
                    blocks.push(self.block(&key)?);
                    block_of.insert(key, blocks.len() - 1);
                    blocks.len() - 1
                }
            };
            let place = |&input: &u32| {
                *local.entry(input).or_insert_with(|| {
                    inputs.push(input);
                    inputs.len() as u32 - 1
                })
            };
            groups.push(group.inputs.iter().map(place), rows.into_iter().map(|(_, place)| place), block);
        }
        groups.shrink_to_fit();
        let bias = elements.iter().map(|&e| self.map.bias().get(e as usize).copied().unwrap_or_default()).collect();
        let weights = self.backend.pack_tile(inputs.len(), blocks, groups, bias, self.map.weight_scale())?;
        let bytes = self.backend.tile_bytes(&weights);
        Ok((inputs, weights, bytes))
    }

    /// Some rows of a block.
    fn block(&mut self, key: &(usize, Vec<u32>)) -> Result<B::Block, B::Error> {
        if let Some(block) = self.packed.get(key) {
            return Ok(block.clone());
        }
        let (index, rows) = key;
        let (columns, weights) =
            self.map.blocks().get(*index).map_or((0, &[] as &[i64]), |b| (b.columns(), b.weights()));
        let kept = rows.iter().filter_map(|&row| weights.get(row as usize * columns..(row as usize + 1) * columns));
        let kept: Vec<i64> = kept.flatten().copied().collect();
        // The rows come from the map, so the sizes agree.
        let whole = WeightBlock::new(rows.len(), columns, kept);
        let packed = match whole {
            Ok(block) => self.backend.pack_block(&block)?,
            Err(_) => unreachable!("rows of a block have its columns"),
        };
        self.packed.insert(key.clone(), packed.clone());
        Ok(packed)
    }
}
