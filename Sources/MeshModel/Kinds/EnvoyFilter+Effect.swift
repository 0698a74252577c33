// SPDX-License-Identifier: Apache-2.0

/// Which operations do something to what, as Istio implements them.
extension EnvoyFilter.ConfigPatch {
  /// The operation as it is carried out: INSERT_* is ADD where there is no order.
  package var effectiveOperation: EnvoyFilter.Operation {
    switch operation {
    case .insertBefore, .insertAfter, .insertFirst: applyTo.isOrdered ? operation : .add
    case .add, .remove, .merge, .mergeAndReplaceList, .replace: operation
    }
  }

  /// Why the operation has no effect on anything, with the remedy; nil where it has one.
  package var ineffectiveness: String? {
    let operation = effectiveOperation
    guard !applyTo.operations.contains(operation) else { return nil }
    let written = "\(self.operation.rawValue) has no effect on \(applyTo.rawValue), as in Istio"
    switch (applyTo, operation) {
    case (.extensionConfig, _): return "\(written); use ADD"
    case (.routeConfiguration, _): return "\(written); use MERGE"
    case (.bootstrap, _):
      return "\(self.operation.rawValue) has no effect on BOOTSTRAP; use MERGE"
    case (_, .mergeAndReplaceList): return "\(written); use MERGE or REPLACE"
    case (.httpRoute, .replace): return "\(written); use MERGE, or REMOVE and INSERT_FIRST"
    case (_, .replace): return "\(written); use MERGE, or REMOVE and ADD"
    default: return written
    }
  }

  /// The condition without which REPLACE, REMOVE and some MERGEs have no effect, where it is not
  /// there: `listener.filterChain.filter.subFilter.name`.
  package var missingTarget: String? {
    let needsTarget =
      operation == .replace || operation == .remove
      || (applyTo == .listenerFilter && operation == .merge)
    guard needsTarget else { return nil }
    let listener: EnvoyFilter.ListenerMatch? =
      if case .listener(let match) = match { match } else { nil }
    switch applyTo {
    case .httpFilter:
      return listener?.filterChain?.filter?.subFilter == nil
        ? "listener.filterChain.filter.subFilter.name" : nil
    case .networkFilter:
      return listener?.filterChain?.filter == nil ? "listener.filterChain.filter.name" : nil
    case .listenerFilter:
      return listener?.listenerFilter.isEmpty ?? true ? "listener.listenerFilter" : nil
    case .listener, .filterChain, .routeConfiguration, .virtualHost, .httpRoute, .cluster,
      .extensionConfig, .bootstrap:
      return nil
    }
  }
}

extension EnvoyFilter.ApplyTo {
  /// Whether the place among others of its kind has a meaning.
  package var isOrdered: Bool {
    switch self {
    case .httpFilter, .networkFilter, .listenerFilter, .httpRoute: true
    case .listener, .filterChain, .routeConfiguration, .virtualHost, .cluster, .extensionConfig,
      .bootstrap:
      false
    }
  }

  /// The operations that do something.
  package var operations: Set<EnvoyFilter.Operation> {
    switch self {
    case .listener, .filterChain, .cluster: [.add, .merge, .mergeAndReplaceList, .remove]
    case .listenerFilter, .networkFilter, .httpFilter:
      [.add, .insertFirst, .insertBefore, .insertAfter, .merge, .replace, .remove]
    case .routeConfiguration, .bootstrap: [.merge, .mergeAndReplaceList]
    case .virtualHost: [.add, .merge, .mergeAndReplaceList, .replace, .remove]
    case .httpRoute:
      [.add, .insertFirst, .insertBefore, .insertAfter, .merge, .mergeAndReplaceList, .remove]
    case .extensionConfig: [.add]
    }
  }
}
