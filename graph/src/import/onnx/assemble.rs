//! A decoded model into a graph: names are resolved, each node is translated in file order.

use std::collections::{HashMap, HashSet};

use super::attributes::NodeAttributes;
use super::operators::{self, Operands, Translated};
use super::tensor::{self, Constant};
use super::{BatchAxis, ImportOptions, NodeError, OPSETS, OnnxError, proto};
use crate::{Dim, Graph, GraphEditor, Shape, ValueId};

/// What a name of the model stands for.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// A value of the graph.
    Value(ValueId),
    /// A constant that no node has read yet.
    Constant(Constant),
}

pub(super) fn assemble(model: &proto::ModelProto, options: &ImportOptions) -> Result<Graph, OnnxError> {
    let file = model.graph.as_ref().ok_or(OnnxError::Missing { what: "graph" })?;
    for (what, present) in
        [("functions", !model.functions.is_empty()), ("sparse initialisers", !file.sparse_initializer.is_empty())]
    {
        if present {
            return Err(OnnxError::Unsupported { what });
        }
    }
    if file.node.len() > options.max_nodes {
        return Err(OnnxError::TooManyNodes { found: file.node.len(), limit: options.max_nodes });
    }
    let opset = default_opset(model)?;

    let mut graph = Graph::empty(file.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("model"));
    let mut importer =
        Importer { editor: graph.edit(), names: HashMap::new(), defined: HashSet::new(), opset, declared_batch: None };
    importer.initialisers(file)?;
    importer.inputs(file, options.batch)?;
    for node in &file.node {
        importer.node(node).map_err(|source| OnnxError::Node {
            node: node_name(node).to_owned(),
            op: node.op_type.clone().unwrap_or_default(),
            source: Box::new(source),
        })?;
    }
    importer.outputs(file)?;
    graph.verify()?;
    Ok(graph)
}

/// Version of the default operator domain.
fn default_opset(model: &proto::ModelProto) -> Result<i64, OnnxError> {
    let mut versions = model
        .opset_import
        .iter()
        .filter(|set| is_default_domain(set.domain.as_deref()))
        .map(|set| set.version.unwrap_or(0));
    let found = versions.next().ok_or(OnnxError::Missing { what: "opset of the default domain" })?;
    if !OPSETS.contains(&found) {
        return Err(OnnxError::Opset { found, supported: (*OPSETS.start(), *OPSETS.end()) });
    }
    Ok(found)
}

fn is_default_domain(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}

fn node_name(node: &proto::NodeProto) -> &str {
    let own = node.name.as_deref().filter(|name| !name.is_empty());
    own.or(node.output.first().map(String::as_str)).unwrap_or("without a name")
}

struct Importer<'g> {
    editor: GraphEditor<'g>,
    names: HashMap<String, Binding>,
    /// Names a graph value or constant already has, for the single-assignment rule.
    defined: HashSet<String>,
    opset: i64,
    declared_batch: Option<usize>,
}

impl Importer<'_> {
    fn define(&mut self, name: &str, binding: Binding) -> Result<(), OnnxError> {
        if !self.defined.insert(name.to_owned()) {
            return Err(OnnxError::DefinedTwice { name: name.to_owned() });
        }
        self.names.insert(name.to_owned(), binding);
        Ok(())
    }

    fn initialisers(&mut self, file: &proto::GraphProto) -> Result<(), OnnxError> {
        for proto in &file.initializer {
            let constant = tensor::constant(proto)?;
            self.define(proto.name.as_deref().unwrap_or_default(), Binding::Constant(constant))?;
        }
        Ok(())
    }

    fn inputs(&mut self, file: &proto::GraphProto, batch: BatchAxis) -> Result<(), OnnxError> {
        let mut seen = HashSet::new();
        for input in &file.input {
            let name = input.name.as_deref().unwrap_or_default();
            if !seen.insert(name) {
                return Err(OnnxError::DefinedTwice { name: name.to_owned() });
            }
            // Before IR version 4 every initialiser had to be listed as an input too.
            if self.defined.contains(name) {
                continue;
            }
            let shape = self.input_shape(name, input, batch)?;
            let id = self.editor.add_input(name, shape)?;
            self.define(name, Binding::Value(id))?;
        }
        Ok(())
    }

    fn input_shape(&mut self, name: &str, input: &proto::ValueInfoProto, batch: BatchAxis) -> Result<Shape, OnnxError> {
        let refuse = |reason: String| OnnxError::Value { value: format!("input {name}"), reason };
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let tensor = tensor.ok_or_else(|| refuse("is not declared as a tensor".to_owned()))?;
        let element = tensor.elem_type.unwrap_or(0);
        if !tensor::is_number(element) {
            return Err(refuse(format!("expected float or double, found {}", tensor::type_name(element))));
        }
        let shape = tensor.shape.as_ref().ok_or_else(|| refuse("has no declared shape".to_owned()))?;
        let mut dims = Vec::with_capacity(shape.dim.len().min(Shape::MAX_RANK));
        for (axis, dim) in shape.dim.iter().enumerate() {
            let extent = dim.dim_value.and_then(|v| usize::try_from(v).ok()).filter(|&v| v > 0);
            if axis == 0 && batch == BatchAxis::Symbolic {
                if let Some(declared) = extent {
                    match self.declared_batch {
                        Some(other) if other != declared => {
                            return Err(refuse(format!("declares batch {declared}, an input before it {other}")));
                        }
                        _ => self.declared_batch = Some(declared),
                    }
                }
                dims.push(Dim::Batch);
                continue;
            }
            let shown = dim.dim_param.clone().or(dim.dim_value.map(|v| v.to_string())).unwrap_or_default();
            dims.push(Dim::Fixed(extent.ok_or_else(|| refuse(format!("axis {axis} has no fixed extent ({shown})")))?));
        }
        if dims.is_empty() && batch == BatchAxis::Symbolic {
            return Err(refuse("is a scalar: there is no axis for the batch".to_owned()));
        }
        Shape::new(dims).map_err(|e| refuse(e.to_string()))
    }

    fn node(&mut self, node: &proto::NodeProto) -> Result<(), NodeError> {
        if !is_default_domain(node.domain.as_deref()) {
            return Err(NodeError::UnknownDomain(node.domain.clone().unwrap_or_default()));
        }
        let named: Vec<&str> = node.output.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        let [output] = *named.as_slice() else { return Err(NodeError::OutputCount(named.len())) };
        if node.output.first().map(String::as_str) != Some(output) {
            return Err(NodeError::OutputCount(0));
        }
        let operands = Operands::new(self.resolve(&node.input)?, self.editor.graph());
        let mut attributes = NodeAttributes::new(node)?;
        let context = operators::Context { opset: self.opset, declared_batch: self.declared_batch };
        let op_type = node.op_type.as_deref().unwrap_or_default();
        let translated = operators::translate(op_type, &operands, &mut attributes, context)?;
        attributes.finish()?;

        let binding = match translated {
            Translated::Same(binding) => binding,
            Translated::Constant(constant) => Binding::Constant(constant),
            Translated::Node { op, operands } => {
                let mut ids = Vec::with_capacity(operands.len());
                for position in operands {
                    let name = node.input.get(position).map_or("", String::as_str);
                    ids.push(self.materialise(name)?);
                }
                Binding::Value(self.editor.push_named(node_name(node), output, op, &ids)?)
            }
            Translated::Fold(op) => {
                let ids = node.input.iter().map(|name| self.materialise(name)).collect::<Result<Vec<_>, _>>()?;
                let Some((&first, rest)) = ids.split_first() else { return Err(NodeError::MissingOperand("first")) };
                let last = rest.len().saturating_sub(1);
                let step = |left, (i, &right): (usize, &ValueId)| {
                    let value = if i == last { output.to_owned() } else { format!("{output}.{i}") };
                    self.editor.push_named(node_name(node), &value, op.clone(), &[left, right])
                };
                Binding::Value(rest.iter().enumerate().try_fold(first, step)?)
            }
        };
        self.define(output, binding).map_err(|_| NodeError::DefinedTwice(output.to_owned()))
    }

    /// What each operand stands for; none for one that is left out. Trailing ones left out are dropped.
    fn resolve(&self, inputs: &[String]) -> Result<Vec<Option<(String, Binding)>>, NodeError> {
        let present = inputs.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        let resolve = |name: &String| match (name.as_str(), self.names.get(name)) {
            ("", _) => Ok(None),
            (_, Some(binding)) => Ok(Some((name.clone(), binding.clone()))),
            (_, None) => Err(NodeError::UnknownOperand(name.clone())),
        };
        inputs[..present].iter().map(resolve).collect()
    }

    /// The graph value of a name; a constant becomes one when it is first read.
    fn materialise(&mut self, name: &str) -> Result<ValueId, NodeError> {
        let tensor = match self.names.get(name) {
            None => return Err(NodeError::UnknownOperand(name.to_owned())),
            Some(Binding::Value(id)) => return Ok(*id),
            Some(Binding::Constant(Constant::Integers(_))) => return Err(NodeError::IntegerOperand(name.to_owned())),
            Some(Binding::Constant(Constant::Numbers(tensor))) => tensor.clone(),
        };
        let id = self.editor.add_constant(name, tensor)?;
        self.names.insert(name.to_owned(), Binding::Value(id));
        Ok(id)
    }

    fn outputs(&mut self, file: &proto::GraphProto) -> Result<(), OnnxError> {
        let mut ids = Vec::with_capacity(file.output.len());
        for output in &file.output {
            let name = output.name.as_deref().unwrap_or_default();
            let id = self
                .materialise(name)
                .map_err(|e| OnnxError::Value { value: format!("output {name}"), reason: e.to_string() })?;
            ids.push(id);
        }
        Ok(self.editor.set_outputs(&ids)?)
    }
}
