// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Why the patches of EnvoyFilters did or did not change what a proxy gets.
///
/// Written by the code that applies the patches, so it cannot tell another story than the resources.
/// `Translator.translate(_:for:tracing:)` makes one.
package struct PatchTrace: Hashable, Sendable {
  /// What is written down.
  package enum Subject: Hashable, Sendable {
    /// Every patch of one EnvoyFilter against everything that it could have changed.
    case object(ObjectRef)
    /// Of all EnvoyFilters only what they changed: who wrote this filter?
    case changes
  }

  /// One condition that a patch sets, and what was found.
  package struct Clause: Hashable, Sendable {
    /// In the EnvoyFilter: `spec.configPatches[0].match.listener.portNumber`.
    package var path: FieldPath
    package var wanted: String
    /// Empty where there is nothing of the kind; several names are separated by `, `.
    package var actual: String
    package var isMatched: Bool
    /// `did you mean envoy.filters.http.router?`, or nil.
    package var hint: String?
  }

  /// One thing in the configuration of the proxy that a patch was held against.
  package struct Candidate: Hashable, Sendable {
    package var place: Place
    /// All of them where an object is traced, in the order in which they are compared.
    package var clauses: [Clause]
    package var result: Result

    /// The first condition that failed; nil where all hold.
    package var mismatch: Clause? { clauses.first { !$0.isMatched } }
  }

  package enum Result: Hashable, Sendable {
    case changed(Change)
    /// See `mismatch` of the candidate.
    case notMatched
    /// All conditions hold, but there is nothing to do, for this reason.
    case noEffect(String)
    /// The patch as a whole is skipped.
    case failed(ConfigError)
  }

  /// What a patch did to a candidate.
  package struct Change: Hashable, Sendable {
    package enum Verb: String, Hashable, Sendable {
      case added, inserted, merged, replaced, removed
    }

    package var verb: Verb
    /// The name of what was added, inserted, changed or removed; empty where it has none.
    package var element: String
    /// `before envoy.filters.http.router`; empty where nothing is to be said.
    package var reason: String
    /// Where in its list it was put or found, counted from 0, and how long the list was then; nil
    /// for what is in no list.
    package var position: Position?
    /// The same after all patches of all EnvoyFilters; nil where it is not there any more.
    package var finalPosition: Position?
  }

  package struct Position: Hashable, Sendable {
    package var index: Int
    package var count: Int

    package init(index: Int, count: Int) {
      self.index = index
      self.count = count
    }
  }

  /// One patch, in the order of application.
  package struct Patch: Hashable, Sendable {
    package var object: ObjectRef
    /// In `spec.configPatches`.
    package var index: Int
    package var applyTo: EnvoyFilter.ApplyTo
    package var operation: EnvoyFilter.Operation
    /// What the proxy must be: `match.context` and `match.proxy`.
    package var conditions: [Clause] = []
    package var candidates: [Candidate] = []
    /// Errors and warnings about this patch from translation.
    package var problems: [ConfigError] = []

    /// `spec.configPatches[index]`.
    package var path: FieldPath { FieldPath("spec", "configPatches")[index] }

    package var changes: [Change] {
      candidates.compactMap { if case .changed(let change) = $0.result { change } else { nil } }
    }

    /// Whether the patch changed anything.
    package var isApplied: Bool { !changes.isEmpty }
  }

  package var subject: Subject
  /// Why the traced object is or is not meant for the proxy, by namespace, labels or targetRefs.
  ///
  /// Empty for `changes`, and for an object that does not exist.
  package var attachment: [Clause] = []
  /// For `changes` only those that changed something.
  package var patches: [Patch] = []

  package init(subject: Subject) { self.subject = subject }
}

extension PatchTrace {
  /// Where in the configuration of a proxy something is.
  package struct Place: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
      case listener
      case listenerFilter = "listener filter"
      case filterChain = "filter chain"
      case networkFilter = "network filter"
      case httpFilter = "HTTP filter"
      case routeConfiguration = "route configuration"
      case virtualHost = "virtual host"
      case route
      case cluster
      case extensionConfig = "extension config"
      case bootstrap
    }

    package struct Step: Hashable, Sendable {
      package var kind: Kind
      /// Its name, or `#3` for the fourth of those without.
      package var name: String
    }

    /// From the resource inwards: listener, filter chain, network filter.
    package var steps: [Step]

    package init(_ steps: [Step]) { self.steps = steps }

    package func appending(_ kind: Kind, _ name: String) -> Place {
      Place(steps + [Step(kind: kind, name: name)])
    }
  }
}

extension PatchTrace.Place: CustomStringConvertible {
  /// `listener 0.0.0.0_80, filter chain #0, network filter envoy.filters.network.tcp_proxy`.
  package var description: String {
    steps.map { "\($0.kind.rawValue) \($0.name)" }.joined(separator: ", ")
  }
}

extension PatchTrace.Change {
  init(
    verb: Verb, element: String, reason: String = "", position: PatchTrace.Position? = nil
  ) {
    self.verb = verb
    self.element = element
    self.reason = reason
    self.position = position
    finalPosition = position
  }
}
