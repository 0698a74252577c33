// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import MeshModel
import ProtoReflection
import SwiftProtobuf

/// Applies HTTP_FILTER patches to the HTTP connection managers of a listener.
///
/// As in Istio there are two passes over the patches: what adds, replaces and removes filters, in
/// order, and then every MERGE, which so meets the filters of all patches.
struct HTTPFilterPatches {
  let patches: PatchSet
  private(set) var problems: [ConfigError] = []

  init(_ patches: PatchSet) { self.patches = patches }

  mutating func apply(to listener: inout ListenerDraft) {
    let meant = patches.httpFilters.filter { FilterMatcher($0).matches(listener) }
    guard !meant.isEmpty else { return }
    var applied: [Origin] = []
    for position in listener.chains.indices {
      let chain = listener.chains[position].message
      let here = meant.filter { FilterMatcher($0).matches(chain, of: listener) }
      apply(here, to: &listener.chains[position], noting: &applied)
    }
    if var chain = listener.defaultChain {
      let here = meant.filter { FilterMatcher($0).matches(chain.message, of: listener) }
      apply(here, to: &chain, noting: &applied)
      listener.defaultChain = chain
    }
    listener.origins += applied
  }

  private mutating func apply(
    _ patches: [PatchSet.Patch], to chain: inout FilterChainDraft, noting applied: inout [Origin]
  ) {
    for position in chain.filters.indices {
      guard case .httpConnectionManager(let name, var manager) = chain.filters[position]
      else { continue }
      let here = patches.filter { FilterMatcher($0).matches(networkFilter: name) }
      for patch in here where patch.patch.operation != .merge {
        if Self.edit(&manager.httpFilters, by: patch) { applied.append(patch.origin) }
      }
      for patch in here where patch.patch.operation == .merge {
        if merge(patch, into: &manager.httpFilters) { applied.append(patch.origin) }
      }
      chain.filters[position] = .httpConnectionManager(name: name, manager)
    }
  }

  /// Inserts, replaces or removes; whether the patch had an effect.
  private static func edit(_ filters: inout [Envoy.HTTPFilter], by patch: PatchSet.Patch) -> Bool {
    let target = FilterMatcher(patch).httpFilter
    let operation = patch.patch.operation
    if operation == .remove {
      let before = filters.count
      filters.removeAll { $0.name == target }
      return filters.count != before
    }
    guard let value = patch.value else {
      preconditionFailure("a patch that adds an HTTP filter has a value")
    }
    let filter = decoded(value)
    // Without a filter to look for, before means first and after means last.
    let found = target.map { name in filters.firstIndex { $0.name == name } }
    switch (operation, found) {
    case (.add, _), (.insertAfter, nil): filters.append(filter)
    case (.insertFirst, _), (.insertBefore, nil): filters.insert(filter, at: 0)
    case (.insertBefore, .some(let position?)): filters.insert(filter, at: position)
    case (.insertAfter, .some(let position?)): filters.insert(filter, at: position + 1)
    case (.replace, .some(let position?)): filters[position] = filter
    default: return false
    }
    return true
  }

  /// Merges into every filter that is meant, or into none if one of them does not take it.
  private mutating func merge(
    _ patch: PatchSet.Patch, into filters: inout [Envoy.HTTPFilter]
  ) -> Bool {
    guard let value = patch.value else { preconditionFailure("a MERGE has a value") }
    let target = FilterMatcher(patch).httpFilter
    var merged = filters
    var hasEffect = false
    for position in merged.indices where target == nil || merged[position].name == target {
      guard case .typedConfig = merged[position].configType else {
        if target != nil { reportDiscovered(patch, merged[position].name) }
        continue
      }
      do throws(ConfigError) {
        merged[position] = try Self.merge(value, patch, into: merged[position], patches.decoder)
      } catch {
        var problem = error
        problem.object = patch.filter.ref
        problems.append(problem)
        return false
      }
      let message = Self.reflected(merged[position], patches.decoder)
      guard
        patches.decoder.isSound(message, patch.patch, of: patch.filter, reporting: &problems)
      else { return false }
      hasEffect = true
    }
    filters = merged
    return hasEffect
  }

  private mutating func reportDiscovered(_ patch: PatchSet.Patch, _ name: String) {
    problems.append(
      ConfigError(
        .unsupported, severity: .warning, object: patch.filter.ref, at: patch.valuePath,
        reason: "the filter \(name) takes its configuration from ECDS, so nothing is merged; "
          + "change the EXTENSION_CONFIG or WasmPlugin instead"))
  }

  private static func merge(
    _ value: DynamicMessage, _ patch: PatchSet.Patch, into filter: Envoy.HTTPFilter,
    _ decoder: PatchValueDecoder
  ) throws(ConfigError) -> Envoy.HTTPFilter {
    var result = filter
    if let name = value["name"]?.string, !name.isEmpty { result.name = name }
    if value["is_optional"]?.bool == true { result.isOptional = true }
    if value["disabled"]?.bool == true { result.disabled = true }
    guard let addition = value["typed_config"]?.message else { return result }
    let path = patch.valuePath["typed_config"]
    guard addition.anyTypeURL == filter.typedConfig.typeURL else {
      throw ConfigError(
        .conflict, at: path["@type"],
        reason: "expected \(filter.typedConfig.typeURL), the type of the filter \(filter.name), "
          + "found \(addition.anyTypeURL ?? "none"); the patch is skipped")
    }
    guard let content = addition.anyContent else { return result }
    do throws(ReflectionError) {
      var merged = try DynamicMessage(
        parsing: Array(filter.typedConfig.value), as: content.descriptor)
      try merged.merge(from: content, options: .istio)
      result.typedConfig.value = Data(merged.serialized())
    } catch {
      throw ConfigError(
        .invalid, at: path + FieldPath(error.path), reason: error.reason + "; the patch is skipped")
    }
    return result
  }

  /// The typed form of a filter that a user wrote.
  private static func decoded(_ value: DynamicMessage) -> Envoy.HTTPFilter {
    do {
      return try Envoy.HTTPFilter(serializedBytes: value.serialized())
    } catch {
      preconditionFailure("what reflection wrote as an HttpFilter does not parse: \(error)")
    }
  }

  private static func reflected(
    _ filter: Envoy.HTTPFilter, _ decoder: PatchValueDecoder
  ) -> DynamicMessage {
    guard let descriptor = decoder.types.message(named: Envoy.HTTPFilter.protoMessageName),
      let message = try? DynamicMessage(parsing: filter.deterministicBytes(), as: descriptor)
    else { preconditionFailure("an HttpFilter that we built must parse") }
    return message
  }
}
