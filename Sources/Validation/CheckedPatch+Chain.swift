// SPDX-License-Identifier: Apache-2.0

import MeshModel
import ProtoReflection

/// The rules of Envoy about the order of filters.
extension CheckedPatch {
  /// Whether the last filter of a list stays the last: Envoy refuses every other list.
  ///
  /// The lists that translation builds end with the router, or with the HTTP connection manager or TCP
  /// proxy. Where another patch of the object takes that away, it is not guessed what is left.
  mutating func checkPlaceInChain(in object: PatchedFilters) {
    guard let kind = FilterKind(patch.applyTo), kind != .listener else { return }
    let last = kind == .http ? "the router" : "the last filter of its chain"
    let operation = patch.operation.rawValue
    if kind == .http, patch.operation == .remove, touchesLastFilter,
      !object.hasEnding(of: kind, besides: patch.index)
    {
      error(
        .invalid, at: patch.path["patch"]["operation"],
        "without the router nothing ends the chain, so Envoy refuses it; use REPLACE, "
          + "or ADD another filter that ends it")
    }
    guard let filter, !object.touchesLastFilter(of: kind, besides: patch.index) else { return }
    if filter.isTerminal {
      if isInserting {
        error(
          .invalid, at: patch.path["patch"]["operation"],
          "\(filter.typeName) ends its chain, and \(operation) leaves \(last) beside it, so Envoy "
            + "refuses the chain; use REPLACE for \(last)")
      } else if filter.isDisabled, patch.operation == .replace {
        error(
          .invalid, at: valuePath["disabled"],
          "the last filter of a chain cannot be disabled; leave it out")
      }
    } else if isAppended, !object.hasEnding(of: kind, besides: patch.index) {
      error(
        .invalid, at: patch.path["patch"]["operation"],
        "\(operation) puts \"\(filter.name)\" after \(last), so Envoy refuses the chain; "
          + "use INSERT_BEFORE"
          + (kind == .http
            ? " with subFilter envoy.filters.http.router"
            : " with that filter's name, or INSERT_FIRST"))
    } else if patch.operation == .replace, touchesLastFilter {
      error(
        .invalid, at: valuePath,
        "\"\(filter.name)\" takes the place of \(last) but does not end a chain, so Envoy refuses it; "
          + "use INSERT_BEFORE")
    }
  }

  /// A filter that is inserted twice runs twice.
  mutating func warnOfRepetition(of first: FieldPath) {
    warn(
      .conflict, at: valuePath["name"],
      "\"\(filter?.name ?? "")\" is inserted by \(first) too, so it runs twice; remove one of them")
  }

  /// The name of the filter in the list that the match asks for; nil where it asks for none.
  var wantedFilter: String? {
    let match = listenerMatch
    switch patch.applyTo {
    case .httpFilter: return match?.filterChain?.filter?.subFilter
    case .networkFilter: return match?.filterChain?.filter?.name
    case .listenerFilter:
      return match.flatMap { $0.listenerFilter.isEmpty ? nil : $0.listenerFilter }
    default: return nil
    }
  }

  /// Whether a new filter comes to the list.
  var isInserting: Bool {
    switch patch.operation {
    case .add, .insertFirst, .insertBefore, .insertAfter: true
    case .merge, .mergeAndReplaceList, .remove, .replace: false
    }
  }

  /// Whether the new filter comes after all that are there.
  private var isAppended: Bool {
    switch patch.operation {
    case .add: true
    case .insertAfter:
      wantedFilter.map { FilterKind(patch.applyTo)?.lastFilters.contains($0) ?? false } ?? true
    default: false
    }
  }

  /// Whether the patch takes away what ends a list.
  var touchesLastFilter: Bool {
    guard patch.operation == .remove || patch.operation == .replace,
      let wanted = wantedFilter, let kind = FilterKind(patch.applyTo)
    else { return false }
    return kind.lastFilters.contains(wanted)
  }
}
