// SPDX-License-Identifier: Apache-2.0

import JSON
package import MeshModel

/// Which objects wrote what has a name in the configuration of a proxy: explain's reverse.
package struct Provenance: Sendable {
  /// One thing of that name.
  package struct Occurrence: Sendable {
    package var typeURL: TypeURL
    /// The resource that it is in, or that it is.
    package var resource: String
    /// In the resource; empty for the resource itself.
    package var path: FieldPath
    /// In the order in which they wrote; empty for what every such proxy gets.
    package var writers: [Writer]
    /// The objects that the whole resource is from.
    package var origins: [Origin]
  }

  /// An object that wrote an occurrence, or a part of it.
  package struct Writer: Hashable, Sendable {
    package var object: ObjectRef
    /// In the object.
    package var path: FieldPath
    package var location: SourceLocation?
    /// Where it wrote, if that is inside of the occurrence or around it.
    package var place: PatchTrace.Place?
    /// What a patch did; nil for what an object declares.
    package var change: PatchTrace.Change?
    /// What a MERGE set: `typed_config.suppress_envoy_headers`; empty for all else.
    package var fields: [FieldPath] = []
  }

  package let name: String
  package let occurrences: [Occurrence]
  /// Patches that removed something of the name.
  package let removals: [Writer]

  init(of name: String, in resources: ResourceSnapshot, _ trace: PatchTrace, _ mesh: MeshSnapshot) {
    let writing = PatchWriters(trace, mesh)
    // What a filter of `config_discovery` runs is configured by the objects behind this resource.
    let configuration = resources[.extensionConfig][name]?.origins ?? []
    self.name = name
    occurrences = resources.typeURLs.flatMap { typeURL in
      resources[typeURL].resources.flatMap { resource in
        NamedElement.all(named: name, in: resource).map { element in
          var writers = Self.declarations(of: element, in: resource, mesh)
          writers += writing.writers(of: element)
          if element.value["config_discovery"] != nil {
            writers += configuration.map { Writer($0, in: mesh) }
          }
          return Occurrence(
            typeURL: typeURL, resource: resource.name, path: element.path,
            writers: Self.unique(writers), origins: resource.origins)
        }
      }
    }
    removals = Self.unique(writing.removals(of: name))
  }

  /// The objects that an element is the translation of.
  private static func declarations(
    of element: NamedElement, in resource: EncodedResource, _ mesh: MeshSnapshot
  ) -> [Writer] {
    // Patches are told by the trace, which knows what they did.
    let origins = resource.origins.filter { $0.object.kind != .envoyFilter }
    if element.path.components.isEmpty { return origins.map { Writer($0, in: mesh) } }
    // Routes carry the object that they are from, as in Istio.
    let marks = routeMarks(in: element.value)
    return origins.filter { $0.object.routeMark.map(marks.contains) ?? false }
      .map { Writer($0, in: mesh) }
  }

  private static func routeMarks(in value: JSONValue) -> Set<String> {
    let own = value["metadata"]?["filter_metadata"]?["istio"]?["config"]?.stringValue
    let routes = value["routes"]?.arrayElements ?? []
    return routes.reduce(into: own.map { [$0] } ?? []) { $0.formUnion(routeMarks(in: $1)) }
  }

  /// In order, each once.
  private static func unique(_ writers: [Writer]) -> [Writer] {
    var seen: Set<Writer> = []
    return writers.filter { seen.insert($0).inserted }
  }
}

extension Provenance.Writer {
  init(_ origin: Origin, in mesh: MeshSnapshot) {
    object = origin.object
    path = origin.path
    location = mesh.sources[origin.object]?.location(of: origin.path)
  }
}

extension ObjectRef {
  /// What a route's metadata says of the VirtualService that it is from, as in Istio; nil for others.
  fileprivate var routeMark: String? {
    guard kind == .virtualService else { return nil }
    return "/apis/\(kind.group)/v1/namespaces/\(namespace)/virtual-service/\(name)"
  }
}
