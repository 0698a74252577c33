// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// Something with a name inside a resource: the resource itself, a filter, a virtual host, a route.
struct NamedElement {
  var name: String
  /// In the resource; empty for the resource itself.
  var path: FieldPath
  /// From the resource inwards, as the patch engine names places; empty in what no patch reaches.
  var place: PatchTrace.Place
  var value: JSONValue

  /// Lists whose elements are places, and what is in them.
  private static let kinds: [String: PatchTrace.Place.Kind] = [
    "listener_filters": .listenerFilter, "filter_chains": .filterChain, "filters": .networkFilter,
    "http_filters": .httpFilter, "virtual_hosts": .virtualHost, "routes": .route,
  ]

  /// All named elements of a resource, from the outside inwards.
  static func all(in resource: EncodedResource) -> [NamedElement] {
    var found: [NamedElement] = []
    collect(
      ResourceJSON.any(resource), FieldPath(), PatchTrace.Place(resource.step.map { [$0] } ?? []),
      resource.name,
      into: &found)
    return found
  }

  /// Those of one name; cheap for resources in which it does not occur.
  static func all(named name: String, in resource: EncodedResource) -> [NamedElement] {
    guard resource.name == name || resource.bytes.contains(Array(name.utf8)) else { return [] }
    return all(in: resource).filter { $0.name == name }
  }

  private static func collect(
    _ value: JSONValue, _ path: FieldPath, _ place: PatchTrace.Place, _ name: String?,
    into found: inout [NamedElement]
  ) {
    guard let members = value.objectMembers else { return }
    if let name { found.append(NamedElement(name: name, path: path, place: place, value: value)) }
    for (key, member) in members {
      guard let elements = member.arrayElements else {
        let kind: PatchTrace.Place.Kind? = key == "default_filter_chain" ? .filterChain : nil
        let name = member["name"]?.stringValue
        let inside = kind.map { place.appending($0, name ?? key) } ?? place
        collect(member, path[key], inside, kind == nil ? nil : name, into: &found)
        continue
      }
      for (index, element) in elements.enumerated() {
        let name = element["name"]?.stringValue
        let inside = kinds[key].map { place.appending($0, name ?? "#\(index)") } ?? place
        collect(element, path[key][index], inside, kinds[key] == nil ? nil : name, into: &found)
      }
    }
  }
}

extension EncodedResource {
  /// How the patch engine names the resource; nil where it never changes such a one.
  fileprivate var step: PatchTrace.Place.Step? {
    let kind: PatchTrace.Place.Kind? =
      switch typeURL {
      case .listener: .listener
      case .route: .routeConfiguration
      case .extensionConfig: .extensionConfig
      case .cluster: .cluster
      default: nil
      }
    return kind.map { PatchTrace.Place.Step(kind: $0, name: name) }
  }
}

extension [UInt8] {
  /// Whether some bytes occur in these, in a row.
  fileprivate func contains(_ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    guard count >= part.count else { return false }
    for start in 0...(count - part.count)
    where self[start] == first && self[start..<(start + part.count)].elementsEqual(part) {
      return true
    }
    return false
  }
}
