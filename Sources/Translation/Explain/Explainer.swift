// SPDX-License-Identifier: Apache-2.0

package import MeshModel
import ProtoReflection

/// Answers why a proxy gets what it gets, by translating once more and writing down what happens.
package struct Explainer: Sendable {
  private let translator: Translator

  package init(_ translator: Translator) { self.translator = translator }

  /// What the patches of an EnvoyFilter did and did not do to the proxies of a class.
  ///
  /// - Throws: `notFound` with the nearest name, where no manifest has such an object.
  package func explain(
    envoyFilter name: String, in namespace: String, of mesh: MeshSnapshot,
    for proxyClass: ProxyClass
  ) throws(ConfigError) -> Explanation {
    let ref = ObjectRef(kind: .envoyFilter, namespace: namespace, name: name)
    let known = mesh.envoyFilters.values.joined()
    let filter = known.first { $0.ref == ref }
    // An object that was refused is in the manifests, but not in force.
    guard
      filter != nil || mesh.sources[ref] != nil
        || mesh.problems.contains(where: { $0.object == ref })
    else { throw Self.notFound(ref, among: known.map(\.ref)) }
    let (_, trace) = translator.translate(mesh, for: proxyClass, tracing: .object(ref))
    return Explanation(ref, filter, trace, in: mesh, for: proxyClass)
  }

  /// Which objects wrote what has a name in the configuration of a class: a listener, filter chain,
  /// filter, route configuration, virtual host, route, cluster or extension configuration.
  ///
  /// - Throws: `notFound` with the nearest name, where nothing has this name or had it before a patch
  ///   removed it.
  package func why(
    _ name: String, in mesh: MeshSnapshot, for proxyClass: ProxyClass
  ) throws(ConfigError) -> Provenance {
    let (resources, trace) = translator.translate(mesh, for: proxyClass, tracing: .changes)
    let provenance = Provenance(of: name, in: resources, trace, mesh)
    guard provenance.occurrences.isEmpty && provenance.removals.isEmpty else { return provenance }
    let names = resources.typeURLs.flatMap { typeURL in
      resources[typeURL].resources.flatMap { NamedElement.all(in: $0).map(\.name) + [$0.name] }
    }
    let hint =
      NearestName.of(name, among: Set(names).sorted())
      .map { "; did you mean \"\($0)\"?" } ?? ""
    throw ConfigError(
      .notFound, reason: "the proxy gets nothing that is named \"\(name)\"\(hint)")
  }

  private static func notFound(_ ref: ObjectRef, among known: [ObjectRef]) -> ConfigError {
    let elsewhere = known.filter { $0.name == ref.name }.sorted()
    let near = NearestName.of(
      ref.name, among: known.filter { $0.namespace == ref.namespace }.map(\.name).sorted())
    let full = NearestName.of(
      "\(ref.namespace)/\(ref.name)", among: known.map { "\($0.namespace)/\($0.name)" }.sorted())
    let best =
      elsewhere.first.map { "\($0.namespace)/\($0.name)" } ?? near.map { "\(ref.namespace)/\($0)" }
      ?? full
    let remedy =
      if let best {
        "did you mean \(best)?"
      } else if known.isEmpty {
        "there is no \(ref.kind.kind)"
      } else {
        "there are "
          + known.sorted().prefix(5).map { "\($0.namespace)/\($0.name)" }.joined(separator: ", ")
          + (known.count > 5 ? ", …" : "")
      }
    return ConfigError(.notFound, object: ref, reason: "not found; \(remedy)")
  }
}
